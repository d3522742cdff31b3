"""Listening for what arrives: IDLE (RFC 2177) where the server has it and answers ``+``, else NOOP by the clock.

An IDLE answered BAD looks like a quiet mailbox, a server that closes during one is silent in aioimaplib: here only the
``+`` under a deadline counts, and a lost connection wakes whoever waits.
"""

from __future__ import annotations

import asyncio
import random

from services.ingest.adapters.imap_asked import Asked, give
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.adapters.imap_timing import Timing
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import Quiet, Woken


class Listening:
    """One session's ear. ``idle`` becomes False for good once the server refused one."""

    def __init__(self, conversation: Conversation, timing: Timing, *, idle: bool) -> None:
        self._conversation, self._timing, self._idle = conversation, timing, idle
        self._asked: Asked | None = None

    @property
    def listens(self) -> bool:
        """Whether an IDLE stands open."""
        return self._asked is not None

    async def begin(self) -> None:
        """See MailSession.listen."""
        if self._asked is None and self._idle:
            await self._ask_idle()
        if self._asked is None:
            await self._noop()

    async def wait(self, seconds: float) -> Woken | Quiet:
        """See MailSession.wait."""
        if self._asked is None and self._idle:
            await self.begin()
        if self._asked is None:
            return await self._poll(seconds)
        await self._push_within(min(seconds, random.uniform(*self._timing.renew_s)))  # noqa: S311 - jitter
        await self._done()
        return Woken() if self._conversation.heard else Quiet()

    async def glance(self, seconds: float) -> Woken | Quiet:
        """See MailSession.glance."""
        if self._asked is not None:
            return await self.wait(seconds)
        await self._push_within(seconds)
        if not self._conversation.heard:
            await self._noop()
        return Woken() if self._conversation.heard else Quiet()

    async def _ask_idle(self) -> None:
        asked = self._conversation.begin("IDLE", replies=())
        if await self._conversation.accepted(asked, self._timing.plus_s):
            self._asked = asked
            return
        await self._conversation.ended(asked, self._timing.command_s)
        self._idle = False

    async def _done(self) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        self._conversation.stand()
        if not asked.answered.done():
            self._conversation.wire.write(b"DONE\r\n")
        answer = await self._conversation.ended(asked, self._timing.command_s)
        if not answer.ok:
            raise self._conversation.give_up(Trouble(Stage.WATCH, Sign.GARBLED), "IDLE did not end well")

    async def _poll(self, seconds: float) -> Woken | Quiet:
        end = self._conversation.now() + seconds
        while not self._conversation.heard and (left := end - self._conversation.now()) > 0:
            await self._push_within(min(left, self._timing.poll_s))
            if not self._conversation.heard:
                await self._noop()
        return Woken() if self._conversation.heard else Quiet()

    async def _push_within(self, seconds: float) -> None:
        """Returns at the first push (one heard already counts), at the latest after so long. Raises LostConnection."""
        conversation = self._conversation
        if not conversation.heard:
            loop = asyncio.get_running_loop()
            conversation.pushed = loop.create_future()
            timer = loop.call_later(max(0.0, seconds), give, conversation.pushed, None)
            try:
                await conversation.pushed
            except BaseException:
                conversation.drop(Trouble(Stage.WATCH, Sign.LOST), "cancelled")
                raise
            finally:
                timer.cancel()
                conversation.pushed = None
        conversation.stand()

    async def _noop(self) -> None:
        answer = await self._conversation.ask("NOOP", seconds=self._timing.command_s)
        if not answer.ok:
            raise self._conversation.give_up(Trouble(Stage.WATCH, Sign.GARBLED), "NOOP was refused")
