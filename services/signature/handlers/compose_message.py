"""``SendRequested``: the message gets its signature and goes on to the outbox.

The one place without a document (DESIGN §1): compose, publish, acknowledged, and only then is the offset committed. A
crash composes the message again, and the outbox keeps the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.conversation import Correspondent
from contracts.event import Event, event
from contracts.message import Draft, MessageComposed, SendRequested
from contracts.operator import OperatorChanged
from contracts.payload import trusted
from contracts.tenant import TenantChanged
from services.kit.rendering import Variables
from services.signature.domain.resolving import Choice, resolve
from services.signature.handlers.facts import SOURCE
from services.signature.handlers.render_signature import RenderSignature
from services.signature.handlers.write_body import WriteBody
from services.signature.ports import Clock, Copy, Publishes, Signatures


@dataclass(frozen=True)
class ComposeMessage:
    """Waits for the channel and the operator at the versions named; raises Unavailable when they do not come."""

    channels: Copy[ChannelChanged]
    operators: Copy[OperatorChanged]
    tenants: Copy[TenantChanged]
    signatures: Signatures
    render: RenderSignature
    write: WriteBody
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[SendRequested]) -> None:
        """Publishes ``MessageComposed``; returns when that is acknowledged."""
        await (await self.begin(event))

    async def begin(self, event: Event[SendRequested]) -> Awaitable[None]:
        """The same, so that the channel's next message can follow: gives back the acknowledgement to wait for."""
        tenant, draft = event.tenant, event.data
        channel = await self.channels.at_least(tenant, draft.channel_id, draft.channel_version)
        operator = await self._operator(tenant, draft)
        stored = await self.signatures.of(tenant, draft.channel_id)
        choice = resolve(stored, draft.operator_id, active=operator is not None and operator.active)
        variables = _variables(channel, operator, draft, await self._tenant_name(tenant, choice))
        signed = await self.render.handle(draft.channel_id, choice, variables)
        body = await self.write.handle(tenant, draft, signed.block)
        images = signed.images if body["html"] or body["html_ref"] else ()
        fields = draft.__dict__ | body | {"sender": _sender(channel), "signature": signed.used, "images": images}
        composed = trusted(MessageComposed, fields)  # validated when the draft was decoded
        return asyncio.create_task(self.publisher.publish(_event(event, composed, self.clock)))

    async def _operator(self, tenant: str, draft: Draft) -> OperatorChanged | None:
        if draft.operator_id is None:
            return None
        return await self.operators.at_least(tenant, draft.operator_id, draft.operator_version or 1)

    async def _tenant_name(self, tenant: str, choice: Choice) -> str:
        """Asked for only where the template may show it."""
        template = choice.signature.template if choice.signature else None
        if template is None or "tenant" not in template.html + template.text:
            return ""
        return (await self.tenants.at_least(tenant, "tenant", 1)).name


def _event(wish: Event[SendRequested], composed: MessageComposed, clock: Clock) -> Event[MessageComposed]:
    return event(wish.tenant, composed, at=clock.now(), source=SOURCE, trace=wish.trace)


def _sender(channel: ChannelChanged) -> Correspondent:
    settings = channel.settings
    return trusted(Correspondent, {"address": settings.address, "name": settings.sender_name or settings.name})


def _variables(channel: ChannelChanged, operator: OperatorChanged | None, draft: Draft, tenant_name: str) -> Variables:
    return Variables(
        operator_name=operator.name if operator else "",
        operator_email=operator.email or "" if operator else "",
        channel_name=channel.settings.name,
        channel_address=channel.settings.address,
        client_name=", ".join(client.name or client.address for client in draft.to),
        client_address=", ".join(client.address for client in draft.to),
        tenant_name=tenant_name,
    )
