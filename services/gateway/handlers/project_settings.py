"""Keep the state of tenants, channels, connections and signatures as their owners say it, and end the wishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from contracts.channel import ChannelChanged
from contracts.channel_status import ChannelStatusChanged
from contracts.event import Event
from contracts.outcome import Rejected, RejectionCode
from contracts.signature import SignatureChanged, SignaturePolicyChanged
from contracts.tenant import TenantChanged
from contracts.topics import CHANNEL_STATUS, CHANNELS, SIGNATURES, Topic
from services.gateway.domain.refusal import Code, Fault, Refused
from services.gateway.handlers.ask_owner import waiting_for
from services.gateway.ports import Channels, Signatures, Statuses, Tenants, Waits, Wishes

_CODES: Final = {
    RejectionCode.INVALID: Code.INVALID, RejectionCode.CONFLICT: Code.CONFLICT,
    RejectionCode.VERSION_MISMATCH: Code.VERSION_MISMATCH, RejectionCode.SECRET_REQUIRED: Code.SECRET_REQUIRED,
    RejectionCode.CHANNEL_LIMIT: Code.CHANNEL_LIMIT, RejectionCode.EMAIL_DISABLED: Code.EMAIL_DISABLED,
    RejectionCode.NOT_FOUND: Code.NOT_FOUND, RejectionCode.HOST_NOT_ALLOWED: Code.HOST_NOT_ALLOWED,
    RejectionCode.OTHER: Code.CONFLICT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """The view first, then the wish: who sees a wish granted also sees what it changed."""

    tenants: Tenants
    channels: Channels
    statuses: Statuses
    signatures: Signatures
    wishes: Wishes
    waits: Waits

    async def handle(self, event: Event[Any]) -> None:
        """One event of an owner."""
        match event.data:
            case TenantChanged():
                await self.tenants.put(event)
            case ChannelChanged():
                await self.channels.put(event)
            case ChannelStatusChanged():
                await self.statuses.put(event)
            case SignatureChanged() | SignaturePolicyChanged():
                await self.signatures.put(event)
            case Rejected():
                await self._refuse(event)
                return
        await self._grant(event)

    async def _refuse(self, event: Event[Rejected]) -> None:
        said = event.data
        faults = tuple(Fault(_ours(one.field), one.code, one.detail) for one in said.errors)
        refused = Refused(_CODES.get(said.code, Code.CONFLICT), said.detail, faults, version=said.current_version)
        await self.wishes.refuse(event.tenant, said.request_id, refused)
        self.waits.wake(waiting_for(event.tenant, said.request_id))

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """A null record: the owner says that the thing is gone for good."""
        if topic is CHANNELS:
            await self.channels.drop(tenant, subject)
        elif topic is CHANNEL_STATUS:
            await self.statuses.drop(tenant, subject)
        elif topic is SIGNATURES:
            await self.signatures.drop(tenant, subject)

    async def _grant(self, event: Event[Any]) -> None:
        request_id: str | None = getattr(event.data, "request_id", None)
        if request_id is not None:
            await self.wishes.grant(event.tenant, request_id, event.data.version)
            self.waits.wake(waiting_for(event.tenant, request_id))


def _ours(field: str) -> str:
    """The field as our requests name it: a caller typed a password, which the owner knows sealed; no `template.`."""
    head, _, rest = field.partition(".")
    if head == "template" and rest:
        return rest
    return f"{rest}.secret" if head == "credentials" and rest else field
