"""``ChannelRemovalRequested``: the channel goes, its secrets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.channel import ChannelRemovalRequested
from contracts.event import Event
from services.config.domain import channel as rules
from services.config.domain.outcome import Refusal, Unchanged
from services.config.handlers.facts import channel_event
from services.config.handlers.reject_request import RejectRequest
from services.config.handlers.return_slot import ReturnSlot
from services.config.ports import Channels, Clock, Publishes
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class RemoveChannel:
    """Marks the channel removed, drops its secrets and frees its slot."""

    channels: Channels
    return_slot: ReturnSlot
    reject: RejectRequest
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[ChannelRemovalRequested]) -> None:
        """One wish, one answer."""
        if await self.reject.again(event):
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the channel is contended")

    async def _attempt(self, event: Event[ChannelRemovalRequested]) -> bool:
        data = event.data
        before = await self.channels.read(event.tenant, data.channel_id)
        ended = rules.settle(before, data.request_id, data.expected_version)
        if isinstance(ended, Refusal) or before is None:
            missing = Refusal("not_found", "There is no such channel.")
            await self.reject.handle(event, data.channel_id, ended if isinstance(ended, Refusal) else missing)
            return True
        after = before if isinstance(ended, Unchanged) else rules.removed(before, data.request_id, self.clock.now())
        told = channel_event(event.tenant, after, event.trace)
        if isinstance(ended, Unchanged):
            await self.publisher.publish(told)
        elif not await self.channels.write(event.tenant, after, told):
            return False
        await self.return_slot.handle(event.tenant, data.channel_id)
        return True
