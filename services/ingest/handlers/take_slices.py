"""Slices are announced one after the other beside the connection, which listens again meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from services.ingest.domain.account import Account
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.slices import Slice
from services.ingest.handlers.announce_slice import AnnounceSlice
from services.ingest.ports import Clock, Fenced
from services.kit import logs
from services.kit.unavailable import Unavailable

log = logs.get_logger()
T = TypeVar("T")
FINISH_S: Final = 5.0
"""A slice in hand is given so long to be announced when the watch ends."""


@dataclass(slots=True)
class Hold:
    """What one watch holds: the cursor, the slice that is being announced, the task that watches.

    ``listened``: the connection has completed a cycle; ``short``: how many in a row did and were lost at once;
    ``pause``: seconds before the next one.
    """

    account: Account
    cursor: Cursor
    watcher: asyncio.Task[None] | None = None
    taking: asyncio.Task[None] | None = None
    fenced: bool = False
    listened: bool = False
    short: int = 0
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class TakeSlices:
    """Takes one slice at a time off a connection's hands."""

    announce: AnnounceSlice
    clock: Clock
    chance: Callable[[], float]

    async def handle(self, hold: Hold, part: Slice, done: Callable[[], None]) -> None:
        """Returns once the slice before is announced and this one has begun; ``done`` is called when its octets are no
        longer held. Raises Fenced."""
        try:
            await self.settled(hold)
        except BaseException:
            done()
            raise
        hold.taking = asyncio.create_task(self._take(hold, part, done))

    async def settled(self, hold: Hold, seconds: float | None = None) -> None:
        """Waits for the slice in hand, so long at most; raises Fenced where the mailbox turned out to be another's."""
        if hold.taking is not None and not hold.taking.done():
            await asyncio.wait({hold.taking}, timeout=seconds)
        if hold.fenced:
            raise Fenced

    async def finish(self, hold: Hold) -> None:
        """The watch ends: the slice in hand is given a moment."""
        if hold.taking is not None and not hold.taking.done():
            await asyncio.wait({hold.taking}, timeout=FINISH_S)
            hold.taking.cancel()

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that is made until our own infrastructure answers."""
        while True:
            try:
                return await call()
            except Unavailable as error:
                log.warning("watch_postponed", reason=str(error))
                await self.clock.sleep(0.5 + self.chance())

    async def _take(self, hold: Hold, part: Slice, done: Callable[[], None]) -> None:
        """Announces the slice, however often it takes; a watch whose mailbox is another's is ended."""
        try:
            hold.cursor = await self.persist(lambda: self.announce.handle(hold.account, hold.cursor, part))
        except Exception as error:
            if not isinstance(error, Fenced):
                log.exception("announcing_failed", channel_id=hold.account.channel_id)
            hold.fenced = True
            if hold.watcher is not None:
                hold.watcher.cancel()
        finally:
            done()
