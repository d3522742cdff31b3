"""The mailboxes of our shards are watched, one task each; what changes is reconciled, what is revoked is not dropped.

```
wanted and ours --begin--> watched --not wanted | not ours | other login--> ended (closed) --> …
                             |  ended by itself (another's, failed): rests, then begins again where it is still ours
```

A group whose coordinator has not answered for a session has given our shards away as far as we can know: all is ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.ingest.domain.account import Account, ChannelKey
from services.ingest.domain.board import Board
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.handlers.watch_mailbox import WatchMailbox
from services.ingest.ports import Clock, Ownership
from services.kit import logs, metrics

log = logs.get_logger()
watched = metrics.gauge("mailboxes_watched", "Mailboxes this replica watches.")
LOOK_S: Final = 1.0
RECONCILE_S: Final = 10.0
REST_S: Final = 10.0
STALLED_S: Final = 420.0
"""Without a completed cycle or a failure for so long, a watch is taken for stuck and begun anew."""


@dataclass(slots=True)
class Desk:
    """What of it changes: the board, a task per watch, and a bell for whoever changed something."""

    board: Board = field(default_factory=Board)
    tasks: dict[ChannelKey, asyncio.Task[None]] = field(default_factory=dict)
    ending: dict[ChannelKey, asyncio.Task[None]] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class HoldMailboxes:
    """Begins and ends watches."""

    watch: WatchMailbox
    report: ReportImap
    ownership: Ownership
    clock: Clock
    chance: Callable[[], float]
    desk: Desk

    async def handle(self) -> None:
        """Until cancelled: at once when something changed, else every few seconds."""
        held, looked = True, 0.0
        while not self.desk.closed:
            fresh, now = self.ownership.fresh(), self.clock.monotonic()
            if self.desk.bell.is_set() or fresh != held or now - looked > RECONCILE_S:
                self.desk.bell.clear()
                held, looked = fresh, now
                await self.reconcile()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self.desk.bell.wait()
            except TimeoutError:
                continue

    async def reconcile(self) -> None:
        """Makes the board come true. Raises Unavailable where a tenant that was switched off could not be told so."""
        board, now = self.desk.board, self.clock.monotonic()
        self._end_stalled(now)
        plan = board.plan(self.ownership.mine, now)
        for key in plan.end:
            self._end(key)
        for account in plan.begin:
            self._begin(account)
        watched.set(len(self.desk.tasks))
        for account in plan.off:
            await self.end(account.key)
            await self.report.disabled(account)
            board.told_off.add(account.key)

    async def end(self, key: ChannelKey) -> None:
        """Ends one watch; its connection is closed on return."""
        self._end(key)
        if (ending := self.desk.ending.get(key)) is not None:
            await asyncio.wait({ending})

    async def close(self) -> None:
        """Ends all, for good: the service stops."""
        self.desk.closed = True
        self.desk.bell.set()
        await asyncio.gather(*(self.end(key) for key in list(self.desk.tasks)))

    def _begin(self, account: Account) -> None:
        key = account.key
        if self.desk.closed or key in self.desk.tasks:
            return
        self.desk.board.watched[key] = account
        self.report.progress[key] = self.clock.monotonic()
        task = asyncio.create_task(self._run(account, self.desk.ending.get(key)))
        self.desk.tasks[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    async def _run(self, account: Account, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        await self.watch.handle(account)

    def _end(self, key: ChannelKey) -> None:
        self.desk.board.watched.pop(key, None)
        if (task := self.desk.tasks.pop(key, None)) is not None:
            self.desk.ending[key] = task
            task.cancel()

    def _ended(self, key: ChannelKey, done: asyncio.Task[None]) -> None:
        if self.desk.ending.get(key) is done:
            del self.desk.ending[key]
        if self.desk.tasks.get(key) is done:
            del self.desk.tasks[key]
            self.desk.board.watched.pop(key, None)
            self.desk.board.resting[key] = self.clock.monotonic() + REST_S * (0.75 + 0.5 * self.chance())
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("watch_failed", tenant_id=key[0], channel_id=key[1], exc_info=error)

    def _end_stalled(self, now: float) -> None:
        for key in list(self.desk.tasks):
            if now - self.report.progress.get(key, now) > STALLED_S and key in self.report.working:
                log.error("watch_stalled", tenant_id=key[0], channel_id=key[1])
                self._end(key)
