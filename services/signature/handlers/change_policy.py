"""``SignaturePolicyChangeRequested``: the two switches of a channel are turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import Event
from contracts.signature import SignaturePolicyChangeRequested
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import Change, Mismatch, Unchanged, switch
from services.signature.handlers.facts import switches_event
from services.signature.handlers.find_channel import FindChannel
from services.signature.handlers.reject_request import RejectRequest
from services.signature.ports import Clock, Publishes, Signatures

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class ChangePolicy:
    """Stores the switches and tells them, or rejects."""

    signatures: Signatures
    find_channel: FindChannel
    reject: RejectRequest
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[SignaturePolicyChangeRequested]) -> None:
        """One wish, one answer."""
        if await self.reject.again(event):
            return
        if not await self.find_channel.handle(event.tenant, event.data.channel_id):
            await self.reject.no_channel(event)
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the switches are contended")

    async def _attempt(self, event: Event[SignaturePolicyChangeRequested]) -> bool:
        data = event.data
        before = await self.signatures.switches(event.tenant, data.channel_id)
        change = Change(data.request_id, data.requested_by, self.clock.now())
        after = switch(before, data.operators_sign, data.default_enabled, change, data.expected_version)
        if isinstance(after, Mismatch):
            await self.reject.mismatch(event, after.current_version)
            return True
        if isinstance(after, Unchanged):
            await self.publisher.publish(switches_event(event.tenant, data.channel_id, before, event.trace))
            return True
        told = switches_event(event.tenant, data.channel_id, after, event.trace)
        return await self.signatures.write_switches(event.tenant, data.channel_id, after, told)
