"""``ReconnectRequested``: whoever holds a connection of this channel is told to make it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.channel import ReconnectRequested
from contracts.event import Event
from services.config.domain import channel as rules
from services.config.domain import tenant
from services.config.domain.outcome import Refusal, Unchanged
from services.config.handlers.facts import channel_event
from services.config.handlers.reject_request import RejectRequest
from services.config.ports import Channels, Clock, Publishes, Tenants
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class ReconnectChannel:
    """Raises ``reconnect_seq``."""

    channels: Channels
    tenants: Tenants
    reject: RejectRequest
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[ReconnectRequested]) -> None:
        """One wish, one answer."""
        if await self.reject.again(event):
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the channel is contended")

    async def _attempt(self, event: Event[ReconnectRequested]) -> bool:
        before = await self.channels.read(event.tenant, event.data.channel_id)
        decided = await self._decide(event, before)
        if isinstance(decided, Refusal):
            await self.reject.handle(event, event.data.channel_id, decided)
            return True
        if isinstance(decided, Unchanged):
            assert before is not None
            await self.publisher.publish(channel_event(event.tenant, before, event.trace))
            return True
        return await self.channels.write(event.tenant, decided, channel_event(event.tenant, decided, event.trace))

    async def _decide(self, event: Event[ReconnectRequested], before: rules.Channel | None) -> rules.Decision:
        if ended := rules.settle(before, event.data.request_id, None):
            return ended
        if before is None:
            return Refusal("not_found", "There is no such channel.")
        if refused := tenant.may_write(await self.tenants.read(event.tenant)):
            return refused
        return rules.reconnected(before, event.data.request_id, self.clock.now())
