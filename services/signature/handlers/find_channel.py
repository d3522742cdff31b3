"""Whether the channel of a wish is there: known, and not removed."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from services.kit.unavailable import Unavailable
from services.signature.ports import Copy


@dataclass(frozen=True)
class FindChannel:
    """Waits a moment for a channel that was created just now; one that never existed must not stop the topic."""

    channels: Copy[ChannelChanged]

    async def handle(self, tenant: str, channel_id: str) -> bool:
        """True when wishes about this channel can be granted."""
        try:
            channel = await self.channels.at_least(tenant, channel_id, 1)
        except Unavailable:
            return False
        return not channel.removed
