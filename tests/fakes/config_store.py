"""Config's stores in memory, as strict as the real ones: version n is written only over version n - 1."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.event import AnyEvent
from services.config.domain.channel import Channel
from services.config.domain.tenant import Slots, Tenant


@dataclass
class FakeChannels:
    """``owed`` in order of writing; ``expired`` names what the database's clock calls old."""

    stored: dict[tuple[str, str], Channel] = field(default_factory=dict)
    owed: list[AnyEvent] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    misses: int = 0

    async def read(self, tenant: str, channel_id: str) -> Channel | None:
        """See ports.Channels."""
        await asyncio.sleep(0)
        return self.stored.get((tenant, channel_id))

    async def write(self, tenant: str, channel: Channel, owed: AnyEvent) -> bool:
        """See ports.Channels; ``misses`` writes lose against an invisible rival first."""
        await asyncio.sleep(0)
        before = self.stored.get((tenant, channel.channel_id))
        if self.misses > 0:
            self.misses -= 1
            return False
        if channel.version != (before.version if before else 0) + 1:
            return False
        self.stored[tenant, channel.channel_id] = channel
        self.owed.append(owed)
        return True

    async def forgettable(self, limit: int) -> Sequence[tuple[str, str]]:
        """See ports.Channels."""
        return [key for key, one in self.stored.items() if one.removed and one.channel_id in self.expired][:limit]

    async def forget(self, tenant: str, channel_id: str) -> None:
        """See ports.Channels."""
        if (found := self.stored.get((tenant, channel_id))) is not None and found.removed:
            del self.stored[tenant, channel_id]


@dataclass
class FakeTenants:
    """``owed`` in order of writing."""

    stored: dict[str, Tenant] = field(default_factory=dict)
    owed: list[AnyEvent] = field(default_factory=list)

    async def read(self, tenant: str) -> Tenant | None:
        """See ports.Tenants."""
        await asyncio.sleep(0)
        return self.stored.get(tenant)

    async def write(self, tenant: str, state: Tenant, owed: AnyEvent) -> bool:
        """See ports.Tenants."""
        await asyncio.sleep(0)
        before = self.stored.get(tenant)
        if state.version != (before.version if before else 0) + 1:
            return False
        self.stored[tenant] = state
        self.owed.append(owed)
        return True


@dataclass
class FakeSlots:
    """The slots by tenant."""

    stored: dict[str, Slots] = field(default_factory=dict)

    async def read(self, tenant: str) -> Slots:
        """See ports.SlotStore."""
        await asyncio.sleep(0)
        return self.stored.get(tenant, Slots())

    async def write(self, tenant: str, slots: Slots) -> bool:
        """See ports.SlotStore."""
        await asyncio.sleep(0)
        if slots.version != self.stored.get(tenant, Slots()).version + 1:
            return False
        self.stored[tenant] = slots
        return True


@dataclass
class FakeRejections:
    """The first answer of each wish stays; ``owed`` in order of writing."""

    stored: dict[tuple[str, str], AnyEvent] = field(default_factory=dict)
    owed: list[AnyEvent] = field(default_factory=list)

    async def read(self, tenant: str, request_id: str) -> AnyEvent | None:
        """See ports.Rejections."""
        await asyncio.sleep(0)
        return self.stored.get((tenant, request_id))

    async def write(self, tenant: str, request_id: str, answer: AnyEvent) -> None:
        """See ports.Rejections."""
        await asyncio.sleep(0)
        if (tenant, request_id) not in self.stored:
            self.stored[tenant, request_id] = answer
            self.owed.append(answer)
