"""A mailbox that says connected and has not completed a cycle for long is watched by nobody: its status says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.ingest.domain.status import ImapStatus, reconnecting
from services.ingest.handlers.facts import speak_status
from services.ingest.ports import Clock, Hands, StatusStore

OVERDUE: Final = timedelta(minutes=12)
"""A cycle takes at most five minutes, and what it showed is written within one."""


@dataclass(frozen=True, slots=True)
class DoubtStatuses:
    """Looks for such mailboxes, whoever's they are."""

    statuses: StatusStore
    relay: Hands
    clock: Clock

    async def handle(self) -> None:
        """Raises Unavailable."""
        now = self.clock.now()
        for status in await self.statuses.stale(now - OVERDUE, 500):
            await self._doubt(status)

    async def _doubt(self, before: ImapStatus) -> None:
        now = self.clock.now()
        after = reconnecting(before, "not_watched", now)
        owed = (speak_status(after, now),)
        if await self.statuses.write(before, after, owed):
            self.relay.hand_over(f"{before.tenant}/{before.channel_id}", owed)
