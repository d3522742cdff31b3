"""Images in signatures: how a template names an uploaded one, how the mail shows it, and what an image begins like.

    template  <img src="blob:{blob_id}">   ->  mail  <img src="cid:{blob_id}@malote">, Content-ID: <{blob_id}@malote>

A content id says which image it is and nothing about the message, so one rendering serves every message.
"""

from __future__ import annotations

import re
from typing import Final

ENDINGS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
"""The images mail programs show, and how their files end."""
_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ADDRESS: Final = re.compile(f"blob:({_ID})")
_REFERENCE: Final = re.compile(f"(?<![0-9a-z])blob:({_ID})(?![0-9a-f-])")
_HOST: Final = "@malote"
_FIRST: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"), (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"), (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)  # fmt: skip
_ATTRIBUTES: Final = r'(?: [a-z-]+="[^"]*")*'
_ALT: Final = re.compile(r' alt="([^"]*)"')


def image_type(head: bytes) -> str | None:
    """Which image begins like this: PNG, JPEG, GIF or WebP; None for anything else (SVG carries scripts)."""
    return next((kind for pattern, kind in _FIRST if pattern.match(head)), None)


def blob_of(address: str) -> str | None:
    """The blob that an image's address names, None where it is no address of ours."""
    found = _ADDRESS.fullmatch(address)
    return found[1] if found else None


def named_in(template: str) -> tuple[str, ...]:
    """Every blob a template may show, each once, in order: also those in a branch that is not rendered now."""
    return tuple(dict.fromkeys(_REFERENCE.findall(template)))


def content_id(blob_id: str) -> str:
    """How a mail names this image (RFC 2392), without brackets."""
    return blob_id + _HOST


def without_image(html: str, cid: str) -> str:
    """Sanitised HTML without the image of this content id; its ``alt`` stands there instead, as text."""
    shown = re.compile(rf'<img{_ATTRIBUTES} src="cid:{re.escape(cid)}"{_ATTRIBUTES}>')
    return shown.sub(_instead, html)


def _instead(image: re.Match[str]) -> str:
    found = _ALT.search(image[0])
    return found[1].replace("<", "&lt;").replace(">", "&gt;") if found else ""
