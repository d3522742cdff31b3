"""A channel's SMTP is proven by logging in and quitting (DESIGN §3.2): after each change, and when nothing was sent for
six hours."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from services.kit import logs
from services.kit.unavailable import Unavailable
from services.outbox.domain.lane import LaneKey
from services.outbox.domain.replies import NotOpen
from services.outbox.handlers.report_smtp import ReportSmtp
from services.outbox.ports import Channels, StatusStore, Submission

log = logs.get_logger()
QUIET = timedelta(hours=6)
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ProveChannel:
    """Proves one channel, or all that are due; a few at once."""

    channels: Channels
    statuses: StatusStore
    submission: Submission
    report: ReportSmtp
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def handle(self, tenant: str, channel_id: str) -> None:
        """Never raises: what can't be proven now is due again."""
        key: LaneKey = (tenant, channel_id)
        try:
            async with self.slots:
                await self._prove(key)
        except Unavailable as error:
            log.warning("proof_postponed", reason=str(error), channel_id=channel_id)

    async def sweep(self) -> None:
        """Those nobody has proven for a while, and those whose pause is over."""
        before = self.report.database_clock.now() - QUIET
        due = await self.statuses.stale(before, 100)
        await asyncio.gather(*(self.handle(each.tenant, each.channel_id) for each in due))

    async def _prove(self, key: LaneKey) -> None:
        channel = await self.channels.get(*key)
        if channel is None or channel.removed:
            return
        session = await self.submission.session(channel, key[0], fresh=True)
        if isinstance(session, NotOpen):
            await self.report.handle(key, channel.version, session)
            return
        await session.close()
        self.report.proven.pop(key, None)
        await self.report.handle(key, channel.version, None)
