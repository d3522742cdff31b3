"""One logged-in SMTP connection, driven command by command.

```
in step --envelope--> mail accepted --data: 354--> content --final dot answered--> in step
   ^------- reset --------'  |                       |
                             '-- no reply: closed <--'   (dot_sent: whether the final dot was handed to the transport)
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.kit.clock import Clock
from services.outbox.adapters import smtp_wire as wire
from services.outbox.adapters.smtp_client import Client
from services.outbox.adapters.smtp_protocol import Collecting, Conversation
from services.outbox.domain.replies import Answer, NoReply, Reply
from services.outbox.ports import EnvelopeAnswers

SLICE: Final = 128 * 1024
OFF_THE_LOOP: Final = 1024 * 1024
"""From this size on a message is dot-stuffed in a thread: 25 MB would hold the loop for too long."""
_QUIT_S: Final = 2.0
_CLOSING: Final = 421


class SmtpSession:
    """A Session over aiosmtplib; ``give_back`` is the pool's door."""

    def __init__(
        self, client: Client, clock: Clock, *, command_s: float, give_back: Callable[[SmtpSession], Awaitable[None]]
    ) -> None:
        self._client, self._clock, self._command_s, self._give_back = client, clock, command_s, give_back
        self._wire: Conversation = client.conversation
        self._offers = dict(client.esmtp_extensions)
        self.idle_since = clock.monotonic()

    @property
    def usable(self) -> bool:
        """Whether the connection stands and is in step."""
        return self._wire.usable

    async def envelope(self, sender: str, recipients: Sequence[str], size: int) -> EnvelopeAnswers:
        """See Session; addresses that can't be given to this server are answered here and not sent."""
        if wire.too_large(size, self._offers):
            return EnvelopeAnswers(wire.TOO_LARGE)
        if refused := wire.refusal(sender, self._offers):
            return EnvelopeAnswers(refused)
        local = {at: why for at, each in enumerate(recipients) if (why := wire.refusal(each, self._offers))}
        sent = [each for at, each in enumerate(recipients) if at not in local]
        mail, *rcpt = await self._envelope(wire.mail_command(sender, sent, size, self._offers), sent)
        given = iter(rcpt)
        if not rcpt and sent:
            return EnvelopeAnswers(mail)
        return EnvelopeAnswers(mail, tuple(local.get(at) or next(given) for at in range(len(recipients))))

    async def _envelope(self, mail: bytes, recipients: Sequence[str]) -> list[Answer]:
        commands = [mail, *map(wire.rcpt_command, recipients)]
        if "pipelining" in self._offers:
            return await self._ask(b"".join(commands), len(commands))
        answers: list[Answer] = []
        for command in commands:
            answers += await self._ask(command)
            if isinstance(answers[-1], NoReply):
                return answers + answers[-1:] * (len(commands) - len(answers))
            if isinstance(answers[0], Reply) and answers[0].code >= 300:
                return answers
        return answers

    async def data(self, deadline: float) -> Answer:
        """See Session."""
        left = deadline - self._clock.monotonic()
        if left <= 0:
            return self._closed("deadline")
        (answer,) = await self._ask(b"DATA\r\n", limit=left)
        return answer

    async def content(self, octets: bytes, deadline: float) -> Answer:
        """See Session; ``octets`` are the message as rendered, dots are doubled here."""
        whole = await asyncio.to_thread(wire.content, octets) if len(octets) > OFF_THE_LOOP else wire.content(octets)
        expected = self._wire.expect(1)
        last = (len(whole) - 1) // SLICE * SLICE
        for start in range(0, last, SLICE):
            if (stop := await self._slice(whole[start : start + SLICE], expected, deadline)) is not None:
                return stop
        if (stop := await self._slice(whole[last:], expected, deadline, drain=False)) is not None:
            return stop
        left = max(0.0, deadline - self._clock.monotonic())
        await self._wire.collected(expected, left)
        return self._answers(expected, late="deadline", dot_sent=True)[0]

    async def _slice(self, octets: bytes, expected: Collecting, deadline: float, drain: bool = True) -> Answer | None:
        """Write one slice; an answer ends the transmission: it is one from before the final dot."""
        if expected.done.done():
            return self._early(expected)
        left = deadline - self._clock.monotonic()
        if left <= 0:
            return self._closed("deadline")
        if not self._wire.send(expected, octets) or (drain and not await self._wire.drain(left)):
            return self._early(expected) if expected.done.done() else self._closed("deadline")
        return None

    def _early(self, expected: Collecting) -> Answer:
        """A server that answers in the middle refuses the message or is confused; either way it has no final dot."""
        answer = self._answers(expected)[0]
        closed = self._closed("out_of_step")
        return answer if isinstance(answer, NoReply) or answer.code >= 400 else closed

    async def _ask(self, octets: bytes, replies: int = 1, *, limit: float | None = None) -> list[Answer]:
        expected = self._wire.expect(replies)
        if not expected.done.done():
            self._wire.send(expected, octets)
        seconds = self._command_s if limit is None else min(limit, self._command_s)
        await self._wire.collected(expected, seconds)
        return self._answers(expected, late="timeout" if seconds == self._command_s else "deadline")

    def _answers(self, expected: Collecting, *, late: str = "timeout", dot_sent: bool = False) -> list[Answer]:
        answers: list[Answer] = [wire.read_reply(reply.code, reply.message) for reply in expected.replies]
        if len(answers) < expected.wanted:
            why = late if expected.broken == "timeout" else expected.broken or "lost"
            silence = self._closed(why, dot_sent=dot_sent)
            answers += [silence] * (expected.wanted - len(answers))
        elif not self._wire.in_step or any(reply.code == _CLOSING for reply in expected.replies):
            self._closed("out_of_step")
        return answers

    def _closed(self, why: str, *, dot_sent: bool = False) -> NoReply:
        self._client.drop()
        self._wire.abort()
        return NoReply(dot_sent, why)

    async def reset(self) -> bool:
        """See Session."""
        (answer,) = await self._ask(b"RSET\r\n") if self.usable else (NoReply(),)
        if not isinstance(answer, Reply) or answer.code >= 300:
            self._closed("out_of_step")
        return self.usable

    async def release(self) -> None:
        """See Session."""
        self.idle_since = self._clock.monotonic()
        await self._give_back(self)

    async def close(self) -> None:
        """See Session."""
        if self.usable:
            await self._wire.collected(self._quit(), _QUIT_S)
        self._client.close()

    def _quit(self) -> Collecting:
        expected = self._wire.expect(1)
        self._wire.send(expected, b"QUIT\r\n")
        return expected
