"""Our copies of channels, operators and tenants, and what the end of a channel means for its signatures."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.operator import OperatorChanged
from contracts.tenant import TenantChanged
from contracts.topics import CHANNELS, OPERATORS, SIGNATURES, Topic
from services.signature.ports import Copy, Publishes, Signatures


@dataclass(frozen=True)
class KeepCopies:
    """Keeps the newest state of each; a removed channel's signatures go."""

    channels: Copy[ChannelChanged]
    operators: Copy[OperatorChanged]
    tenants: Copy[TenantChanged]
    signatures: Signatures
    publisher: Publishes

    async def channel(self, event: Event[ChannelChanged]) -> None:
        """A channel as it is."""
        await self.channels.put(event)
        if event.data.removed:
            await self._remove(event.tenant, event.data.channel_id)

    async def operator(self, event: Event[OperatorChanged]) -> None:
        """An operator as they are."""
        await self.operators.put(event)

    async def tenant(self, event: Event[TenantChanged]) -> None:
        """A tenant as it is."""
        await self.tenants.put(event)

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """A null record: the key is gone."""
        if topic is CHANNELS:
            await self._remove(tenant, subject)
            await self.channels.drop(tenant, subject)
        elif topic is OPERATORS:
            await self.operators.drop(tenant, subject)
        else:
            await self.tenants.drop(tenant, subject)

    async def _remove(self, tenant: str, channel_id: str) -> None:
        """Null records first, then the documents: a crash between repeats the nulls."""
        for subject in await self.signatures.subjects(tenant, channel_id):
            await self.publisher.forget(SIGNATURES, tenant, subject)
        await self.signatures.remove(tenant, channel_id)
