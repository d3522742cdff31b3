"""Previews by the renderer that composes messages."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.signature import SignatureTemplate
from services.gateway.domain.refusal import Refused, invalid
from services.gateway.ports import Preview
from services.kit.rendering import REMOTE_IMAGE, Rendered, Renderer, Variables


class LiquidPreviews:
    """See ``ports.Previews``."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def render(self, template: SignatureTemplate, variables: Mapping[str, str]) -> Preview | Refused:
        """See the port."""
        rendered = await self._renderer.render(template, Variables(**variables))
        if isinstance(rendered, Rendered) and not rendered.remote_images:
            return Preview(rendered.html, rendered.text, rendered.images)
        failed = REMOTE_IMAGE if isinstance(rendered, Rendered) else rendered
        return invalid(f"template.{failed.part}", failed.code, failed.reason)
