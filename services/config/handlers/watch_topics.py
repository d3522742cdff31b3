"""Our own compacted topics: a record older than its document must not be the last one of its key.

Two relays may overlap, so an old event can be published again after a newer one; compaction would keep it. Whoever
reads a record older than its document publishes the document's state once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.tenant import TenantChanged
from services.config.handlers.facts import channel_event, tenant_event
from services.config.ports import Channels, Publishes, Tenants


@dataclass(frozen=True)
class WatchTopics:
    """Answers stale records of ``malote.channels.v1`` and ``malote.tenants.v1``."""

    channels: Channels
    tenants: Tenants
    publisher: Publishes

    async def channel(self, event: Event[ChannelChanged]) -> None:
        """The channel's own record came by."""
        stored = await self.channels.read(event.tenant, event.data.channel_id)
        if stored is not None and event.data.version < stored.version:
            await self.publisher.publish(channel_event(event.tenant, stored, event.trace))

    async def tenant(self, event: Event[TenantChanged]) -> None:
        """The tenant's own record came by."""
        stored = await self.tenants.read(event.tenant)
        if stored is not None and event.data.version < stored.version:
            await self.publisher.publish(tenant_event(event.tenant, stored, event.time, event.trace))
