"""One connection of the peer: reads commands, lets quirks answer, else answers by the book."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.infra.imap_peer import answers

if TYPE_CHECKING:
    from tests.infra.imap_peer.peer import Peer

Quirk = Callable[["Session", str, str, str], Awaitable[bool]]
"""(session, tag, command, rest of the line): answers in its own way and returns True, or leaves it to the book (False).
The commands are IMAP's, "UID FETCH" and the like in one, "GREETING" before the first and "DONE" after an IDLE."""
_LITERAL = re.compile(r"\{(\d+)\}$")


class Session:
    """One client. ``ended``: read no further command."""

    def __init__(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer, self.reader, self.writer = peer, reader, writer
        self.selected = peer.inbox
        self.idling = False
        self.ended = False

    async def run(self) -> None:
        """Until the client goes, or a quirk ends it."""
        if not await self._quirky("", "GREETING", ""):
            await self.say("* OK ready")
        while not self.ended and (line := await self._line()):
            tag, _, rest = line.partition(" ")
            command, _, arguments = rest.partition(" ")
            if command.upper() == "UID":
                second, _, arguments = arguments.partition(" ")
                command = f"UID {second}"
            await self._obey(tag, command.upper(), arguments)

    async def say(self, *lines: str) -> None:
        """Send lines."""
        await self.send("".join(f"{line}\r\n" for line in lines).encode())

    async def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        self.writer.write(octets)
        await self.writer.drain()

    def tell(self) -> None:
        """Say how many mails there are, to a client that listens."""
        if self.idling:
            self.writer.write(f"* {len(self.selected.mails)} EXISTS\r\n".encode())

    def cut(self) -> None:
        """Close at once."""
        self.ended = True
        self.writer.transport.abort()

    async def hold(self) -> None:
        """Say nothing any more until the client goes."""
        self.ended = True
        while await self.reader.read(65536):
            pass

    async def literal(self, text: str) -> bytes:
        """The literal a line announces, read after a ``+``."""
        found = _LITERAL.search(text)
        assert found is not None
        await self.say("+ go on")
        return await self.reader.readexactly(int(found[1]))

    async def _line(self) -> str:
        return (await self.reader.readline()).decode("utf-8", "replace").rstrip("\r\n")

    async def _obey(self, tag: str, command: str, rest: str) -> None:
        self.peer.seen[command] += 1
        self.peer.lines.append(f"{command} {rest}")
        if await self._quirky(tag, command, rest):
            return
        if command == "STARTTLS":
            await self.say(f"{tag} OK begin")
            assert self.peer.context is not None
            await self.writer.start_tls(self.peer.context)
        elif command == "IDLE":
            await self._idle(tag)
        elif command in ("LOGIN", "AUTHENTICATE"):
            await self._log_in(tag, command, rest)
        else:
            await answers.answer(self, tag, command, rest)

    async def _quirky(self, tag: str, command: str, rest: str) -> bool:
        for quirk in list(self.peer.quirks):
            if await quirk(self, tag, command, rest):
                return True
        return False

    async def _idle(self, tag: str) -> None:
        self.idling = True
        await self.say("+ idling", f"* {len(self.selected.mails)} EXISTS")
        try:
            line = await self._line()
        finally:
            self.idling = False
        if line.upper() == "DONE" and not await self._quirky(tag, "DONE", ""):
            await self.say(f"{tag} OK done")

    async def _log_in(self, tag: str, command: str, rest: str) -> None:
        if command == "LOGIN":
            user, password = await self._words(rest)
        else:
            mechanism, _, initial = rest.partition(" ")
            if not initial:
                await self.say("+ ")
                initial = await self._line()
            text = base64.b64decode(initial).decode()
            if mechanism == "PLAIN":
                _, user, password = text.split("\0")
            else:
                user, password = text[len("user=") : text.index("\1")], text[text.index("Bearer ") + 7 : -2]
        if self.peer.users.get(user) == password:
            await self.say(f"{tag} OK [CAPABILITY {self.peer.offers}] logged in")
            return
        if rest.startswith("XOAUTH2"):
            await self.say("+ eyJzdGF0dXMiOiI0MDAifQ==")
            await self._line()
        await self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")

    async def _words(self, rest: str) -> tuple[str, str]:
        """Two astrings: quoted, plain, or literals."""
        found: list[str] = []
        while rest:
            if _LITERAL.fullmatch(rest):
                found.append((await self.literal(rest)).decode())
                rest = (await self._line()).lstrip(" ")
                continue
            one = re.match(r'"((?:[^"\\]|\\.)*)"|\S+', rest)
            assert one is not None
            found.append(re.sub(r"\\(.)", r"\1", one[1]) if one[1] is not None else one[0])
            rest = rest[one.end() :].lstrip(" ")
        user, password = found
        return user, password
