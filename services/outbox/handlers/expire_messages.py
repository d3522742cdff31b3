"""Expiry: messages that waited past their time fail, or end with whom they reached (DESIGN §3)."""

from __future__ import annotations

from dataclasses import dataclass

from services.outbox.domain.give_up import expire
from services.outbox.handlers.record_decision import Record


@dataclass(frozen=True, slots=True)
class ExpireMessages:
    """A sweep over the waiting messages."""

    record: Record

    async def handle(self, limit: int = 200) -> int:
        """How many were found."""
        expired = await self.record.store.expired(limit)
        for message in expired:
            await self.record.handle(message, expire)
        return len(expired)
