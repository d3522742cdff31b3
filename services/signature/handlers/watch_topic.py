"""Our own compacted topic: a record older than its document must not be the last one of its key."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.signature import SignatureChanged, SignaturePolicyChanged
from contracts.topics import SIGNATURES
from services.signature.handlers.facts import signature_event, switches_event
from services.signature.ports import Copy, Publishes, Signatures


@dataclass(frozen=True)
class WatchTopic:
    """Answers stale records of ``malote.signatures.v1`` with the current state, or a removed channel's null."""

    signatures: Signatures
    channels: Copy[ChannelChanged]
    publisher: Publishes

    async def signature(self, event: Event[SignatureChanged]) -> None:
        """A signature's own record came by."""
        data = event.data
        stored = await self.signatures.read(event.tenant, data.channel_id, data.operator_id)
        if stored is None:
            await self._after_removal(event)
        elif data.version < stored.version:
            await self.publisher.publish(signature_event(event.tenant, data.channel_id, stored, event.trace))

    async def policy(self, event: Event[SignaturePolicyChanged]) -> None:
        """The switches' own record came by."""
        data = event.data
        stored = await self.signatures.switches(event.tenant, data.channel_id)
        if stored.change is None:
            await self._after_removal(event)
        elif data.version < stored.version:
            await self.publisher.publish(switches_event(event.tenant, data.channel_id, stored, event.trace))

    async def _after_removal(self, event: Event[SignatureChanged] | Event[SignaturePolicyChanged]) -> None:
        channel = await self.channels.get(event.tenant, event.data.channel_id)
        if channel is not None and channel.removed:
            await self.publisher.forget(SIGNATURES, event.tenant, event.subject)
