"""The chosen signature for one message: rendered, or the next best thing. A message is never lost to a signature.

chosen version --fails--> last good version --fails--> the operator's plain name   (why: render_failed)

An image that the signature's document does not know is left out (why: image_missing).
"""

from __future__ import annotations

import html as markup
from dataclasses import dataclass, replace

from contracts.message import InlineImage, SignatureUsed
from contracts.signature import Why
from services.kit.images import ENDINGS, content_id, without_image
from services.kit.rendering import EMPTY, Rendered, Variables
from services.signature.domain.resolving import Choice
from services.signature.domain.signature import Image, Signature, subject
from services.signature.handlers.facts import ref_of, told_template
from services.signature.ports import Renders


@dataclass(frozen=True, slots=True)
class Signed:
    """The block to place, the images it shows, and what the event says of it."""

    block: Rendered
    used: SignatureUsed
    images: tuple[InlineImage, ...] = ()


@dataclass(frozen=True)
class RenderSignature:
    """Renders through the same code as trial and preview."""

    renderer: Renders

    async def handle(self, channel_id: str, choice: Choice, variables: Variables) -> Signed:
        """Never raises for what the template is."""
        chosen, why = choice.signature, Why(choice.why)
        if chosen is None:
            return Signed(EMPTY, SignatureUsed(why=why))
        name = subject(channel_id, chosen.operator_id)
        outcome = await self.renderer.render(told_template(chosen.template), variables)
        if isinstance(outcome, Rendered):
            return _shown(outcome, SignatureUsed(id=name, version=chosen.version, why=why), chosen.images)
        return await self._instead(name, chosen, variables)

    async def _instead(self, name: str, chosen: Signature, variables: Variables) -> Signed:
        if chosen.previous is not None:
            outcome = await self.renderer.render(told_template(chosen.previous.template), variables)
            if isinstance(outcome, Rendered):
                used = SignatureUsed(id=name, version=chosen.previous.version, why=Why.RENDER_FAILED)
                return _shown(outcome, used, chosen.previous.images)
        plain = variables.operator_name
        block = Rendered(markup.escape(plain, quote=False), plain)
        return Signed(block, SignatureUsed(id=name, version=chosen.version, why=Why.RENDER_FAILED))


def _shown(block: Rendered, used: SignatureUsed, images: tuple[Image, ...]) -> Signed:
    """The block with those of its images that are known."""
    if not block.images:
        return Signed(block, used)
    known = {image.blob_id: image for image in images}
    for lost in (blob_id for blob_id in block.images if blob_id not in known):
        block = replace(block, html=without_image(block.html, content_id(lost)))
        used = used.model_copy(update={"why": Why.IMAGE_MISSING})
    shown = [known[blob_id] for blob_id in block.images if blob_id in known]
    return Signed(block, used, tuple(_inline(number, image) for number, image in enumerate(shown, 1)))


def _inline(number: int, image: Image) -> InlineImage:
    name = f"image{number}.{ENDINGS[image.media_type]}"
    return InlineImage(blob=ref_of(image), content_id=content_id(image.blob_id), file_name=name)
