"""Connect a channel again now."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ReconnectRequested
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.ports import Channels, Connected
from services.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class ReconnectChannel:
    """By hand, whatever the state; where waiting can help we connect again by ourselves."""

    views: Channels
    ask: AskOwner
    channels: ReadChannel

    async def handle(self, who: Principal, channel_id: str) -> Connected | Pending | Refused:
        """The channel, about to connect."""
        before = await self.views.get(who.tenant, channel_id)
        if before is None or before.removed:
            return NOT_FOUND
        request_id = str(uuid7())
        wish = ReconnectRequested(request_id=request_id, requested_by=who.sub, channel_id=channel_id)
        answer = await self.ask.handle(who, request_id, wish, f"/v1/channels/{channel_id}")
        return await self.channels.settled(who, channel_id, answer)
