"""A removed channel's waiting messages fail; one under way is settled first and met by the next sweep (DESIGN §8)."""

from __future__ import annotations

from dataclasses import dataclass

from services.outbox.domain.document import Message
from services.outbox.domain.give_up import remove_channel
from services.outbox.handlers.record_decision import Record


@dataclass(frozen=True, slots=True)
class RemoveChannelMessages:
    """Ends what waits in a channel that is gone."""

    record: Record

    async def handle(self, tenant: str, channel_id: str, limit: int = 500) -> int:
        """How many were ended."""
        total = 0
        while found := await self.record.store.of_channel(tenant, channel_id, limit):
            for message in found:
                await self.one(message)
            total += len(found)
        return total

    async def one(self, message: Message) -> None:
        """End this one, if it waits."""
        await self.record.handle(message, remove_channel)
