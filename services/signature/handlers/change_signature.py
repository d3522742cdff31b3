"""``SignatureChangeRequested``: an operator's signature, or the default one, is set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from contracts.event import Event
from contracts.signature import SignatureChangeRequested, SignatureTemplate
from services.kit.rendering import REMOTE_IMAGE, UNKNOWN_IMAGE, RenderFailed, Variables
from services.kit.unavailable import Unavailable
from services.signature.domain.signature import Change, Image, Mismatch, Unchanged, sign_with
from services.signature.handlers.facts import signature_event, template_of
from services.signature.handlers.find_channel import FindChannel
from services.signature.handlers.find_images import FindImages
from services.signature.handlers.reject_request import RejectRequest
from services.signature.ports import Clock, Publishes, Renders, Signatures

ATTEMPTS: Final = 5
SAMPLE: Final = Variables(
    operator_name="Ana Souza", operator_email="ana@example.com", channel_name="Vendas",
    channel_address="vendas@example.com", client_name="Rui Lima", client_address="rui@example.net",
    tenant_name="Loja Azul",
)  # fmt: skip
"""The values a template is tried with before it is stored."""


@dataclass(frozen=True)
class ChangeSignature:
    """Tries the template, finds its images, stores it and tells it, or rejects naming the line."""

    signatures: Signatures
    find_channel: FindChannel
    find_images: FindImages
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

    async def _images(self, tenant: str, template: SignatureTemplate) -> tuple[Image, ...] | RenderFailed:
        """The images of a template that is good; else what is wrong with it."""
        tried = await self.renderer.render(template, SAMPLE)
        if isinstance(tried, RenderFailed):
            return tried
        if tried.remote_images:
            return REMOTE_IMAGE
        images = await self.find_images.handle(tenant, template)
        if isinstance(images, RenderFailed):
            return images
        shown = {image.blob_id for image in images}
        return images if shown.issuperset(tried.images) else UNKNOWN_IMAGE  # an address that Liquid put together

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
        images = await self._images(event.tenant, data.template)
        if isinstance(images, RenderFailed):
            await self.reject.broken(event, images)
            return True
        after = replace(after, images=images)
        told = signature_event(event.tenant, data.channel_id, after, event.trace)
        return await self.signatures.write(event.tenant, data.channel_id, after, told)
