"""One mailbox, watched by one task over one connection until it is cancelled or somebody else has it.

```
claim epoch -> connect -> SELECT, cursor -> fetch above -> listen (+: connected) -> wait --> fetch above …
     ^             | NotOpen: report, wait as long as the reason asks                  |
     |             <-------------------------- LostConnection -------------------------+
     +-- Fenced: the end, the connection is closed
```

While a slice is being announced the connection listens again; the next slice waits its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from services.ingest.domain.account import Account
from services.ingest.domain.reading import Reading, begin_reading
from services.ingest.domain.session import LostConnection, NotOpen, Woken
from services.ingest.handlers.connect_mailbox import ConnectMailbox
from services.ingest.handlers.fetch_slices import IMPORT_EVERY_S, FetchSlices
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.handlers.select_mailbox import SelectMailbox
from services.ingest.handlers.take_slices import Hold, TakeSlices
from services.ingest.ports import Budgets, Clock, CursorStore, Fenced, MailSession
from services.kit import logs
from services.kit.unavailable import Unavailable

log = logs.get_logger()
T = TypeVar("T")
LISTEN_S: Final = (240.0, 300.0)
"""IDLE is renewed this often: address translators forget a silent connection at 350 s (FINDINGS)."""
EAGER_S: Final = 4.0
"""So long after a mail the mailbox is looked at again and again: servers hold pushes back (FINDINGS)."""
BUSY_S: Final = 0.5
"""While a slice is being announced the next look is no hurry: it could not be begun."""
SHORT_S: Final = 30.0
"""A connection that lived no longer counts as a failure, even where it had listened."""
MOST_SHORT: Final = 4
"""However often that happens, a server that lets us listen is not left alone for longer than this many doublings."""


@dataclass(frozen=True, slots=True)
class WatchMailbox:
    """Watches. ``owner`` names this process in the cursor."""

    connect: ConnectMailbox
    cursors: CursorStore
    budgets: Budgets
    select: SelectMailbox
    fetch: FetchSlices
    take: TakeSlices
    report: ReportImap
    clock: Clock
    chance: Callable[[], float]
    owner: str

    async def handle(self, account: Account) -> None:
        """Returns only when the mailbox is somebody else's."""
        await self.clock.sleep(await self.take.persist(lambda: self.report.handle(account)))
        cursor = await self.take.persist(lambda: self.cursors.claim(account.key, self.owner))
        hold = Hold(account, cursor, asyncio.current_task())
        try:
            lost = False
            while not hold.fenced:
                lost = await self._connected(hold, lost)
        except Fenced:
            pass
        except asyncio.CancelledError:
            if not hold.fenced:
                raise
        finally:
            await self.take.finish(hold)
        log.info("mailbox_is_anothers", tenant_id=account.tenant, channel_id=account.channel_id)

    async def _connected(self, hold: Hold, lost: bool) -> bool:
        """One connection, from its beginning to its end; whether it was lost after it had worked for a while."""
        hold.pause, lasted = 0.0, False
        try:
            async with self.budgets.connection(hold.account.host):
                opened = await self.connect.handle(hold.account, again=lost)
                if isinstance(opened, NotOpen):
                    hold.pause = await self.report.failed(hold.account, opened.trouble)
                else:
                    lasted = await self._to_the_end(hold, opened)
            await self.clock.sleep(hold.pause)
            return lasted
        except Unavailable as error:
            log.warning("watch_postponed", channel_id=hold.account.channel_id, reason=str(error))
            await self.clock.sleep(0.5 + self.chance())
            return lost

    async def _to_the_end(self, hold: Hold, session: MailSession) -> bool:
        hold.listened, began = False, self.clock.monotonic()
        try:
            await self.take.settled(hold)
            hold.cursor = await self.select.handle(hold.account, hold.cursor, session.opened)
            await self._turn(hold, session, begin_reading(hold.cursor, hold.account.tenant))
        except LostConnection as gone:
            await self.take.settled(hold)
            log.info(
                "connection_lost", channel_id=hold.account.channel_id, stage=gone.trouble.stage, sign=gone.trouble.sign
            )
            if hold.listened and self.clock.monotonic() - began > SHORT_S:
                hold.short = 0
                return True
            hold.short = min(hold.short + 1, MOST_SHORT) if hold.listened else 0
            hold.pause = await self.report.failed(hold.account, gone.trouble, hold.short)
        finally:
            await session.close()
        return False

    async def _turn(self, hold: Hold, session: MailSession, reading: Reading) -> None:
        """Until the connection is lost, or its turn is over because others wait for one."""
        eager, hand, began = 0.0, partial(self.take.handle, hold), self.clock.monotonic()
        while (turn := self.budgets.turn(hold.account.host)) is None or self.clock.monotonic() - began < turn:
            if await self.fetch.handle(session, reading, hand):
                eager = EAGER_S
            await self.fetch.import_more(session, reading, hand)
            if eager and hold.listened:
                eager = eager if await self._glance(hold, session, eager) else 0.0
                await self._worked(hold.account)
                continue
            await session.listen()
            hold.listened = True
            await self._worked(hold.account)
            patience = min(LISTEN_S[0] + (LISTEN_S[1] - LISTEN_S[0]) * self.chance(), turn or LISTEN_S[1])
            woken = await session.wait(patience if reading.past is None else min(patience, IMPORT_EVERY_S))
            eager = EAGER_S / 2 if isinstance(woken, Woken) else 0.0

    async def _glance(self, hold: Hold, session: MailSession, seconds: float) -> bool:
        """Where a mail came others are near: look for so long, ever more seldom; whether the mailbox has grown."""
        until = self.clock.monotonic() + seconds
        while (left := until - self.clock.monotonic()) > 0:
            await self.take.settled(hold, BUSY_S)
            apart = self.budgets.recheck(hold.account.host, session.opened.near)
            pause = 1.0 if apart is None else apart if left > EAGER_S / 2 else 2 * apart
            if isinstance(await session.glance(pause), Woken):
                return True
        return False

    async def _worked(self, account: Account) -> None:
        try:
            await self.report.worked(account)
        except Unavailable as error:
            log.warning("status_postponed", channel_id=account.channel_id, reason=str(error))
