"""SentCopyFound: a message that was parked turns out to have been sent (docs/decisions/0019)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.event import Event
from contracts.message import SentCopyFound
from services.outbox.domain.document import Message
from services.outbox.domain.facts import Decision
from services.outbox.domain.resolve import resolved
from services.outbox.handlers.record_decision import Record


@dataclass(frozen=True, slots=True)
class ResolveMessage:
    """Answers SentCopyFound; a repeat, and a finding about any other message, changes nothing."""

    record: Record

    async def handle(self, found: Event[SentCopyFound]) -> None:
        """Raises Unavailable."""
        message = await self.record.store.load(found.tenant, found.data.message_id)
        if message is not None and message.channel_id == found.data.channel_id:
            await self.record.handle(message, _rule)


def _rule(message: Message, now: datetime) -> Decision | None:
    return resolved(message, now)
