"""One SMTP conversation under the rules (RFC 5321, 3207, 4954).

connect ─220─> greeted ─EHLO─> ready ─MAIL─> mail ─RCPT─> rcpt ─DATA─354─> content ─.─> ready
                                 └── STARTTLS, AUTH, RSET, NOOP, QUIT at any time
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from tests.infra.smtp_peer.auth import credentials
from tests.infra.smtp_peer.content import ContentReader
from tests.infra.smtp_peer.conversation import Conversation, Cut
from tests.infra.smtp_peer.records import describe, message_id_of
from tests.infra.smtp_peer.rules import Action, Stage
from tests.infra.smtp_peer.wire import Gone

_PATH = re.compile(r"^(?:FROM|TO):\s*<([^>]*)>(.*)$", re.IGNORECASE)


class Session(Conversation):
    """One connection from banner to close."""

    _authenticated = False
    _quit = False

    async def run(self) -> None:
        """Serve until QUIT, a cut or the client's end; never raises for what a client does."""
        self.write("connected", secured=self.secured)
        stage = "connect"
        try:
            await self.reply(Stage.CONNECT, f"220 {self.world.settings.hostname} ESMTP ready")
            while not self._quit:
                line = (await self.wire.line()).decode("utf-8", "replace")
                stage = line[:4].upper()
                await self._serve(line)
            self.wire.close()
        except Cut:
            self.wire.cut()
        except Gone as gone:
            self.write("dropped", by="client", stage=stage, reason=str(gone))
            self.wire.cut()

    async def _serve(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        answer = self._verbs().get(verb.upper())
        if answer is None:
            await self.wire.say("502 5.5.2 command not recognised")
        else:
            await answer(rest.strip())

    def _verbs(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return {
            "EHLO": self._ehlo,
            "HELO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": self._noop,
            "QUIT": self._bye,
        }

    # Commands, in the order of RFC 5321.

    async def _ehlo(self, name: str) -> None:
        said = self.world.settings.offers(self.secured)
        lines = [f"250-{one}" for one in said[:-1]] + [f"250 {said[-1]}"]
        self.clear()
        await self.reply(Stage.EHLO, "\r\n".join(lines))

    async def _starttls(self, _: str) -> None:
        if not self.world.settings.offers_starttls(self.secured) or self.world.context is None:
            await self.wire.say("502 5.5.1 not offered")
        elif await self.reply(Stage.STARTTLS, "220 2.0.0 go ahead") == 220:
            await self.wire.secure(self.world.context)
            self.secured = True
            self.write("secured")

    async def _auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() not in self.world.settings.mechanisms:
            return await self.wire.say("504 5.5.4 mechanism not offered")
        try:
            user, password = await credentials(self.wire, mechanism.upper(), initial)
        except ValueError:
            return await self.wire.say("501 5.5.2 cannot decode")
        self.user = user
        accounts = self.world.settings.accounts
        good = accounts is None or accounts.get(user) == password
        usual = "235 2.7.0 welcome" if good else "535 5.7.8 authentication credentials invalid"
        self._authenticated = await self.reply(Stage.AUTH, usual) == 235
        self.write("authenticated", ok=self._authenticated, mechanism=mechanism.upper(), user=user)
        return None

    async def _mail(self, rest: str) -> None:
        path = _PATH.match(rest)
        if self.world.settings.auth_required and not self._authenticated:
            return await self.wire.say("530 5.7.0 authentication required")
        if self.sender is not None or path is None:
            return await self.wire.say("503 5.5.1 nested MAIL" if path else "501 5.5.4 syntax")
        self.transmission = next(self.world.transmissions)
        usual = "250 2.1.0 sender ok"
        if (size := re.search(r"SIZE=(\d+)", path[2], re.IGNORECASE)) and int(size[1]) > self.world.settings.size:
            usual = "552 5.3.4 too big"
        code = await self.reply(Stage.MAIL, usual, sender=path[1])
        self.write("mail", sender=path[1], parameters=path[2].strip(), code=code)
        self.sender = path[1] if code == 250 else None
        return None

    async def _rcpt(self, rest: str) -> None:
        path = _PATH.match(rest)
        if self.sender is None or path is None:
            return await self.wire.say("503 5.5.1 MAIL first" if path else "501 5.5.4 syntax")
        code = await self.reply(Stage.RCPT, "250 2.1.5 recipient ok", recipients=(*self.recipients, path[1]))
        self.write("rcpt", recipient=path[1], code=code)
        if code in (250, 251):
            self.recipients.append(path[1])
        return None

    async def _data(self, _: str) -> None:
        if not self.recipients:
            return await self.wire.say(
                "503 5.5.1 no valid recipients" if self.sender is not None else "503 5.5.1 MAIL first"
            )
        if (code := await self.reply(Stage.DATA, "354 end with a dot")) != 354:
            self.write("data_refused", code=code, **self.envelope())
            self.clear()
            return None
        self.write("data", **self.envelope())
        content = await self._content()
        await self._finish(content)
        self.clear()
        return None

    async def _content(self) -> bytes:
        """Read up to the final dot, each chunk under the rules; a cut leaves a `partial` entry."""
        reading = ContentReader(self.wire)
        try:
            complete = False
            while not complete:
                complete = await reading.advance()
                # A short content comes in one piece with its dot: a rule about chunks speaks then too.
                await self._judge_chunk(reading)
        except (Gone, Cut):
            taken = bytes(reading.taken)
            self.write("partial", offset=self.world.history.keep(taken), **self.envelope(), **describe(taken))
            raise
        return bytes(reading.taken)

    async def _judge_chunk(self, reading: ContentReader) -> None:
        facts = self.facts(received=len(reading.taken), message_id=message_id_of(bytes(reading.taken[:16_384])))
        if rule := self.world.rules.decide(Stage.CHUNK, facts):
            await self.pause(Stage.CHUNK, rule)
            if rule.action is not Action.PASS:
                await self.end(Stage.CHUNK, rule)

    async def _finish(self, content: bytes) -> None:
        said = describe(content) | self.envelope()
        self.write("content", offset=self.world.history.keep(content), **said)
        try:
            code = await self.reply(Stage.FINAL, "250 2.0.0 taken", message_id=said["message_id"])
        except (Gone, Cut):
            self.write("answered", code=0, sent=False, **said)
            raise
        self.write("answered", code=code, sent=True, **said)

    async def _rset(self, _: str) -> None:
        self.write("rset")
        self.clear()
        await self.reply(Stage.RSET, "250 2.0.0 forgotten")

    async def _noop(self, _: str) -> None:
        await self.wire.say("250 2.0.0 still here")

    async def _bye(self, _: str) -> None:
        self.write("quit")
        await self.reply(Stage.QUIT, "221 2.0.0 bye")
        self._quit = True
