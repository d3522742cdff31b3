"""Previews by the renderer that composes messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.signature import SignatureTemplate
from services.gateway.domain.refusal import Refused, invalid
from services.gateway.ports import Preview
from services.kit.rendering import Renderer, RenderFailed, Variables

REMOTE: Final = "Images from the web are not allowed. Take out each <img src=http…>."


class LiquidPreviews:
    """See ``ports.Previews``."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    async def render(self, template: SignatureTemplate, variables: Mapping[str, str]) -> Preview | Refused:
        """See the port."""
        rendered = await self._renderer.render(template, Variables(**variables))
        if isinstance(rendered, RenderFailed):
            return invalid(f"template.{rendered.part}", rendered.code, rendered.reason)
        if rendered.remote_images:
            return invalid("template.html", "remote_image", REMOTE)
        return Preview(rendered.html, rendered.text)
