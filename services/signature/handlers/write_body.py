"""A message's body with its signature: large ones by reference, HTML sanitised, text derived where it is absent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import Draft
from services.kit.rendering import Rendered, RenderFailed
from services.signature.domain.placing import place_html, place_text
from services.signature.ports import Bodies, Renders

_TAGS: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class WriteBody:
    """Text stays text: a message that was given no HTML gets none."""

    renderer: Renders
    bodies: Bodies

    async def handle(self, tenant: str, draft: Draft, block: Rendered) -> dict[str, Any]:
        """The fields ``text``, ``text_ref``, ``html``, ``html_ref`` of the composed message."""
        text = await self._body(tenant, draft.text, draft.text_ref)
        html = await self._body(tenant, draft.html, draft.html_ref)
        if html is not None:
            html, text = await self._cleaned(html, text)
        text = text or ""
        if block.text:
            text = place_text(text, block.text)
        if html is not None and block.html:
            html = place_html(html, block.html)
        written = await self._inline(tenant, "text", text, "text/plain")
        return written | await self._inline(tenant, "html", html, "text/html")

    async def _body(self, tenant: str, inline: str | None, ref: BlobRef | None) -> str | None:
        return inline if inline is not None or ref is None else await self.bodies.fetch(tenant, ref)

    async def _cleaned(self, html: str, text: str | None) -> tuple[str | None, str]:
        """The sanitised HTML and a text; no HTML where the sanitiser refuses it, for its text must still go out."""
        outcome = await self.renderer.clean(html)
        if isinstance(outcome, RenderFailed):
            return None, text if text is not None else _TAGS.sub(" ", html)
        return outcome.html, text if text is not None else outcome.text

    async def _inline(self, tenant: str, name: str, body: str | None, media_type: str) -> dict[str, Any]:
        if body is None or len(body) * 4 <= limits.INLINE_TEXT or len(body.encode()) <= limits.INLINE_TEXT:
            return {name: body, f"{name}_ref": None}
        return {name: None, f"{name}_ref": await self.bodies.store(tenant, body, f"{media_type}; charset=utf-8")}
