"""30 days after its removal a channel's record is taken out of the topic, then its document goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.topics import CHANNELS
from services.config.ports import Channels, Publishes

AT_ONCE: Final = 200


@dataclass(frozen=True)
class ForgetChannels:
    """A sweep across tenants; the null record comes first, so that a crash repeats it and loses none."""

    channels: Channels
    publisher: Publishes

    async def handle(self) -> int:
        """How many channels were forgotten."""
        found = await self.channels.forgettable(AT_ONCE)
        for tenant, channel_id in found:
            await self.publisher.forget(CHANNELS, tenant, channel_id)
            await self.channels.forget(tenant, channel_id)
        return len(found)
