"""``SignatureChangeRequested``: an operator's signature, or the default one, is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import Event
from contracts.signature import SignatureChangeRequested, SignatureTemplate
from services.kit.rendering import RenderFailed, Variables
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import Change, Mismatch, Unchanged, sign_with
from services.signature.handlers.facts import signature_event, template_of
from services.signature.handlers.find_channel import FindChannel
from services.signature.handlers.reject_request import RejectRequest
from services.signature.ports import Clock, Publishes, Renders, Signatures

ATTEMPTS: Final = 5
SAMPLE: Final = Variables(
    operator_name="Ana Souza", operator_email="ana@example.com", channel_name="Vendas",
    channel_address="vendas@example.com", client_name="Rui Lima", client_address="rui@example.net",
    tenant_name="Loja Azul",
)  # fmt: skip
"""The values a template is tried with before it is stored."""
REMOTE_IMAGE: Final = RenderFailed(
    "remote_image", "Images from the web are not allowed. Take out each <img src=http…>."
)


@dataclass(frozen=True)
class ChangeSignature:
    """Tries the template, stores it and tells it, or rejects naming the line."""

    signatures: Signatures
    find_channel: FindChannel
    renderer: Renders
    reject: RejectRequest
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[SignatureChangeRequested]) -> None:
        """One wish, one answer."""
        if await self.reject.again(event):
            return
        if not await self.find_channel.handle(event.tenant, event.data.channel_id):
            await self.reject.no_channel(event)
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the signature is contended")

    async def _failed(self, template: SignatureTemplate) -> RenderFailed | None:
        tried = await self.renderer.render(template, SAMPLE)
        if isinstance(tried, RenderFailed):
            return tried
        return REMOTE_IMAGE if tried.remote_images else None

    async def _attempt(self, event: Event[SignatureChangeRequested]) -> bool:
        data = event.data
        before = await self.signatures.read(event.tenant, data.channel_id, data.operator_id)
        change = Change(data.request_id, data.requested_by, self.clock.now())
        after = sign_with(before, data.operator_id, template_of(data.template), change, data.expected_version)
        if isinstance(after, Mismatch):
            await self.reject.mismatch(event, after.current_version)
            return True
        if isinstance(after, Unchanged):
            assert before is not None
            await self.publisher.publish(signature_event(event.tenant, data.channel_id, before, event.trace))
            return True
        if failed := await self._failed(data.template):
            await self.reject.broken(event, failed)
            return True
        told = signature_event(event.tenant, data.channel_id, after, event.trace)
        return await self.signatures.write(event.tenant, data.channel_id, after, told)
