"""The changes of all tenants, fanned out: one change stream per process, read only while somebody follows.

    asleep --somebody follows--> catching up (the last two minutes) --> live --nobody for a minute--> asleep
                                     ^---- the stream cannot be continued: every reader gets a reset ----'

The last changes are remembered, so that a reader who comes back (to whichever replica) gets what it missed.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol
from weakref import WeakSet

from services.gateway.adapters.change_ids import ChangeIds
from services.gateway.adapters.change_stream import Batch, Lost
from services.gateway.adapters.followers import Waiting
from services.gateway.domain.change import Beat, Change, Ended, Reset, Signal, Thing
from services.kit import logs
from services.kit.mongo import Document

log = logs.get_logger()
LOOK_BACK_S: Final = 120
EARLIER_S: Final = 5
"""A reader who waited for the stream to be read is told what changed from so long before the reading began."""
LINGER_S: Final = 60.0
REMEMBERED: Final = 20_000
MOST: Final = 2_000
MOST_OF_ONE: Final = 500
"""Pages open on one process, of all tenants and of one: nobody takes the others' places."""


class Source(Protocol):
    """The database's side."""

    async def now(self) -> int:
        """Its time as a position."""
        ...

    def read(self, since: int, token: Document | None) -> AsyncIterator[Batch]:
        """See ``change_stream.changes``."""
        ...

    async def conversations_of(self, changes: Sequence[Change]) -> Sequence[Change]:
        """The same, each message with its conversation."""
        ...


class ChangeFeed:
    """See ``ports.Changes``. ``woken`` hears of every change; ``closing`` says when the process drains."""

    def __init__(
        self, source: Source, ids: ChangeIds, woken: Callable[[Change], None], closing: Callable[[], bool]
    ) -> None:
        self._source, self._ids, self._woken, self._closing = source, ids, woken, closing
        self._past: deque[Change] = deque()
        self._floor = self._head = self._began = 0
        self._live = False
        self._token: Document | None = None
        self._readers: dict[str, WeakSet[Waiting]] = {}
        self._waiting: list[Waiting] = []
        self._lonely_since = time.monotonic()
        self._wanted = asyncio.Event()

    @property
    def readers(self) -> int:
        """How many follow."""
        return sum(map(len, self._readers.values()))

    def follow(self, tenant: str, after: str | None) -> Waiting | Ended:
        """See the port."""
        full = self.readers >= MOST or len(self._readers.get(tenant, ())) >= MOST_OF_ONE
        if self._closing() or full:
            return Ended("full")
        reader = Waiting(tenant, after, self._finish)
        self._readers.setdefault(tenant, WeakSet()).add(reader)
        if self._live:
            self._admit(reader)
        else:
            self._waiting.append(reader)
            self._wanted.set()
        return reader

    async def run(self) -> None:
        """Reads while somebody follows, until cancelled; raises Unavailable."""
        while True:
            await self._wanted.wait()
            now = await self._source.now()
            self._began = now - (EARLIER_S << 20)
            if self._floor == 0:
                self._head = self._floor = max(now - (LOOK_BACK_S << 20), 1)
            try:
                await self._follow_stream()
            except Lost:
                log.warning("change_stream_lost")
                await self._start_over()
            finally:
                self._live = False

    async def _follow_stream(self) -> None:
        self._lonely_since = time.monotonic()
        async for batch in self._source.read(self._floor, self._token):
            self._take(batch)
            if self._closing():
                self._end_all()
            if self._lonely():
                self._forget()
                return

    def _take(self, batch: Batch) -> None:
        self._token = batch.token or self._token
        for change in batch.changes:
            self._woken(change)
            if change.kind is Thing.REQUEST:
                continue
            self._remember(change)
            for reader in self._readers.get(change.tenant, ()):
                if reader.admitted:
                    reader.push(change)
        if batch.caught_up and not self._live:
            self._live = True
            waiting, self._waiting = self._waiting, []
            for reader in waiting:
                self._admit(reader, self._began)

    def _admit(self, reader: Waiting, since: int | None = None) -> None:
        """A reader begins: with what it missed, or with a reset where nobody can tell.

        ``since``: where one who missed nothing has waited from; what it read meanwhile may be older than the changes.
        """
        reader.admitted = True
        after = since if reader.after is None else self._ids.read(reader.tenant, reader.after)
        if reader.after is not None and (after is None or after < self._floor):
            reader.reset(self._head)
        elif after is not None:
            for change in self._past:
                if change.tenant == reader.tenant and change.version > after:
                    reader.push(change)
        reader.wake()

    async def _finish(self, tenant: str, reset: int | None, changes: Sequence[Change]) -> Sequence[Signal]:
        found = await self._source.conversations_of(changes)
        told: list[Signal] = [] if reset is None else [Reset(self._ids.make(tenant, reset))]
        told += [replace(one, position=self._ids.make(tenant, one.version)) for one in found]
        if told or not self._live:
            return told  # no beat while nothing can be heard: a page must not take silence for peace
        return (Beat(self._ids.make(tenant, self._head)),)

    def _remember(self, change: Change) -> None:
        self._head = change.version
        self._past.append(change)
        if len(self._past) > REMEMBERED:
            self._floor = self._past.popleft().version

    async def _start_over(self) -> None:
        self._past.clear()
        self._token = None
        self._floor = self._head = await self._source.now() + 1  # behind what cut the stream
        for readers in self._readers.values():
            for reader in readers:
                reader.reset(self._head)

    def _lonely(self) -> bool:
        self._readers = {tenant: readers for tenant, readers in self._readers.items() if readers}
        if self._readers:
            self._lonely_since = time.monotonic()
        return time.monotonic() - self._lonely_since > LINGER_S

    def _forget(self) -> None:
        self._wanted.clear()
        self._past.clear()
        self._token, self._floor = None, 0

    def _end_all(self) -> None:
        for readers in self._readers.values():
            for reader in readers:
                reader.end("closing")
