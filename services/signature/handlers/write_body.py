"""A message's body with its signature: large ones by reference, HTML sanitised, text derived where it is absent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from contracts import limits
from contracts.blob import BlobRef
from contracts.message import Draft
from services.kit.rendering import Rendered, RenderFailed
from services.kit.unavailable import Unavailable
from services.signature.domain.placing import place_html, place_text, text_as_html
from services.signature.ports import Bodies, Clock, Renders

_TAGS: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class WriteBody:
    """Text stays text where its signature is; a formatted signature makes HTML of it too (docs/decisions/0017)."""

    renderer: Renders
    bodies: Bodies
    clock: Clock

    async def handle(self, tenant: str, draft: Draft, block: Rendered) -> dict[str, Any]:
        """The fields ``text``, ``text_ref``, ``html``, ``html_ref`` of the composed message.

        Raises Unavailable when a body is not there. An expired message goes on without it: nobody will send it, and it
        must not hold up those behind it.
        """
        text = draft.text if draft.text_ref is None else await self._fetched(tenant, draft, draft.text_ref)
        html = draft.html if draft.html_ref is None else await self._fetched(tenant, draft, draft.html_ref)
        if html is not None:
            html, text = await self._cleaned(html, text)
        text = text or ""
        if html is not None and block.html:
            html = place_html(html, block.html)
        elif block.formatted:
            html = text_as_html(text, block.html)
        if block.text:
            text = place_text(text, block.text)
        written = await self._inline(tenant, "text", text, "text/plain")
        return written | await self._inline(tenant, "html", html, "text/html")

    async def _fetched(self, tenant: str, draft: Draft, ref: BlobRef) -> str:
        body = await self.bodies.fetch(tenant, ref)
        if body is None and draft.expires_at > self.clock.now():
            raise Unavailable("a body is not there")
        return body or ""

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
