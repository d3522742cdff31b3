"""A conversation with an IMAP server: commands one at a time, each under its own deadline.

```
greeting --ask--> asked --tagged--> still --ask--> ...
   any --deadline, cancelled, BYE, closed, not IMAP, more than was asked for--> lost (every pending call raises)
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, TypeVar

from services.ingest.adapters.imap_answers import Status
from services.ingest.adapters.imap_asked import Answer, Asked
from services.ingest.adapters.imap_hearing import LITERAL, ORDINARY, Hearing
from services.ingest.domain.imap_status import Sign, Trouble
from services.ingest.domain.session import LostConnection

WHOLE_S: Final = 300.0
"""No command takes longer, however busily the server talks."""
T = TypeVar("T")


class Conversation(Hearing):
    """One connection, used by one task. ``stage`` is set by whoever knows how far it has come."""

    _timer: asyncio.TimerHandle

    def now(self) -> float:
        """The loop's clock."""
        return self._clock()

    @property
    def lost(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._trouble is not None

    async def greeted(self, seconds: float) -> Status:
        """The greeting."""
        return await self._settled(self.greeting, seconds, seconds)

    async def ask(
        self, name: str, *arguments: str, seconds: float, keep: Sequence[bytes] = (), prefix: str = "",
        replies: Sequence[bytes] | None = None, octets: int = ORDINARY, literal: int = LITERAL,
        silence: float | None = None,
    ) -> Answer:  # fmt: skip
        """Send a command and wait for its tagged answer. Raises LostConnection; the connection is dropped then, and
        when cancelled.

        ``keep``: which untagged responses to collect, by their first words; ``replies``: what to send at each ``+``;
        ``octets`` and ``literal``: the most that may come; ``silence``: the deadline starts again with each octet.
        """
        asked = self.begin(name, *arguments, keep=keep, prefix=prefix, replies=replies, octets=octets, literal=literal)
        return await self.ended(asked, seconds, silence)

    def begin(
        self, name: str, *arguments: str, keep: Sequence[bytes] = (), prefix: str = "",
        replies: Sequence[bytes] | None = None, octets: int = ORDINARY, literal: int = LITERAL,
    ) -> Asked:  # fmt: skip
        """Send a command. Raises LostConnection."""
        if self._asked is not None:
            raise RuntimeError("one command at a time")
        self.stand()
        asked = Asked(name, self.new_tag(), arguments, prefix, keep, replies)
        self._asked = asked
        self.allow(octets, literal)
        self._last_octet = self._clock()
        self.wire.write(f"{asked}\r\n".encode())
        return asked

    async def ended(self, asked: Asked, seconds: float, silence: float | None = None) -> Answer:
        """Wait for the tagged answer."""
        return await self._settled(asked.answered, seconds, silence or seconds)

    async def accepted(self, asked: Asked, seconds: float) -> bool:
        """Wait for the first ``+``; False where the tagged answer came instead."""
        await self._settled(asked.accepted, seconds, seconds)
        return not asked.answered.done()

    async def sent(self, octets: bytes, seconds: float) -> None:
        """Send octets, not faster than they are taken."""
        deadline = self._clock() + seconds
        view = memoryview(octets)
        for start in range(0, len(octets), LITERAL):
            self.stand()
            self.wire.write(bytes(view[start : start + LITERAL]))
            try:
                async with asyncio.timeout_at(deadline):
                    await self.wire.drain()
            except TimeoutError:
                self.drop(Trouble(self.stage, Sign.TIMEOUT), "not taken")
            except BaseException:
                self.drop(Trouble(self.stage, Sign.LOST), "cancelled")
                raise
        self.stand()

    @property
    def busy(self) -> bool:
        """Whether a command waits for its answer."""
        return self._asked is not None

    def stand(self) -> None:
        """Raises LostConnection where the connection is lost."""
        if self._trouble is not None:
            raise LostConnection(self._trouble)

    def give_up(self, trouble: Trouble, detail: str = "") -> LostConnection:
        """Drop, and what to raise."""
        self.drop(trouble, detail)
        return LostConnection(self._trouble or trouble, detail)

    async def hung_up(self) -> None:
        """Wait until the socket is closed."""
        await asyncio.shield(self._ends)

    async def _settled(self, future: asyncio.Future[T], whole: float, silence: float) -> T:
        """The future's result, under both deadlines; one timer and no task, because every command comes by here."""
        if future.done():
            return future.result()
        begun = self._clock()
        self._timer = asyncio.get_running_loop().call_at(
            begun + min(whole, silence), self._look, begun, begun + whole, silence
        )
        try:
            return await future
        except asyncio.CancelledError:
            self.drop(Trouble(self.stage, Sign.LOST), "cancelled")
            raise
        finally:
            self._timer.cancel()

    def _look(self, begun: float, end: float, silence: float) -> None:
        due = min(max(begun, self._last_octet) + silence, end)
        if due <= self._clock():
            self.drop(Trouble(self.stage, Sign.TIMEOUT))
        else:
            self._timer = asyncio.get_running_loop().call_at(due, self._look, begun, end, silence)
