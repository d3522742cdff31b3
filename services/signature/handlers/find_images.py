"""The images a template shows: all there, this tenant's, and from now on kept for as long as it refers to them."""

from __future__ import annotations

from dataclasses import dataclass

from contracts import limits
from contracts.signature import SignatureTemplate
from services.kit.images import named_in
from services.kit.rendering import TOO_MANY_IMAGES, UNKNOWN_IMAGE, RenderFailed
from services.signature.domain.signature import Image
from services.signature.ports import Images


@dataclass(frozen=True)
class FindImages:
    """Asked when a template is saved; composing finds the answer in the signature's document."""

    images: Images

    async def handle(self, tenant: str, template: SignatureTemplate) -> tuple[Image, ...] | RenderFailed:
        """The images in order, or what is wrong; an image of another tenant is as unknown as one that never was."""
        named = named_in(template.html)
        if len(named) > limits.SIGNATURE_IMAGES:
            return TOO_MANY_IMAGES
        found = [await self.images.find(tenant, blob_id) for blob_id in named]
        whole = tuple(image for image in found if image is not None)
        if len(whole) < len(named) or not await self.images.keep(tenant, named):
            return UNKNOWN_IMAGE
        return whole
