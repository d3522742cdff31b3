"""Remove a channel."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelRemovalRequested
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.ports import Channels, Connected
from services.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class RemoveChannel:
    """For ever: what is queued fails as ``channel_removed``."""

    views: Channels
    ask: AskOwner
    channels: ReadChannel

    async def handle(self, who: Principal, channel_id: str, expected: int | None) -> Connected | Pending | Refused:
        """The channel, removed."""
        before = await self.views.get(who.tenant, channel_id)
        if before is None or before.removed:
            return NOT_FOUND
        request_id = str(uuid7())
        wish = ChannelRemovalRequested(
            request_id=request_id, requested_by=who.sub, channel_id=channel_id, expected_version=expected
        )
        answer = await self.ask.handle(who, request_id, wish, f"/v1/channels/{channel_id}")
        return await self.channels.settled(who, channel_id, answer)
