"""The horizon: ended messages get slim, then are forgotten; tombstones are answered before they are (DESIGN §3.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.outbox.domain.document import Message, Status
from services.outbox.domain.facts import Decision
from services.outbox.domain.horizon import forget_before, orphan, slim_before
from services.outbox.handlers.record_decision import Record


@dataclass(frozen=True, slots=True)
class ForgetMessages:
    """A sweep; runs until nothing is left that is old enough."""

    record: Record

    async def handle(self, limit: int = 500) -> int:
        """How many documents were answered, slimmed or deleted."""
        now = self.record.database_clock.now()
        store, total = self.record.store, 0
        while found := await self._orphans(now, limit):
            total += found
        while found := await store.slim(slim_before(now), limit):
            total += found
        while found := await store.purge(forget_before(now), limit):
            total += found
        return total

    async def _orphans(self, now: datetime, limit: int) -> int:
        found = await self.record.store.orphans(forget_before(now), limit)
        for tombstone in found:
            await self.record.handle(tombstone, _answered)
        return len(found)


def _answered(message: Message, now: datetime) -> Decision | None:
    waits = message.status is Status.UNSEEN and message.terminal_at is None
    return orphan(message, now) if waits else None
