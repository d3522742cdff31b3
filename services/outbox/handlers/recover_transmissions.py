"""Recovery: transmissions that are surely over and were never settled: a replica died or froze (DESIGN §3.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.outbox.domain.backoff import Backoff, later
from services.outbox.domain.document import Message
from services.outbox.domain.facts import Decision
from services.outbox.domain.recover import recovered
from services.outbox.handlers.record_decision import Record, Rule


@dataclass(frozen=True, slots=True)
class RecoverTransmissions:
    """A sweep; the write itself checks that ``until`` has passed."""

    record: Record
    chance: Callable[[], float]
    retry: Backoff

    async def handle(self, limit: int = 200) -> int:
        """How many were found."""
        lapsed = await self.record.store.lapsed(limit)
        for message in lapsed:
            await self.record.handle(message, self._rule_for(message), lapsed=True)
        return len(lapsed)

    def _rule_for(self, seen: Message) -> Rule:
        def rule(message: Message, now: datetime) -> Decision | None:
            if message.transmission is None or message.transmission != seen.transmission:
                return None
            return recovered(message, now, later(now, self.retry.seconds(message.tries, self.chance())))

        return rule
