"""A mail's HTML for its frame: the pictures that came with it, remote ones held back until the reader wants them.

It was made safe when it arrived; no script runs in the frame, and its policy lets nothing in or out: the second wall.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape
from typing import Any, Final
from urllib.parse import unquote

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups"
)
STYLE: Final = (
    ":root{color-scheme:light}body{margin:0;padding:12px;font:15px/1.5 system-ui,sans-serif;color:#1c1f22;"
    "background:#fff;overflow-wrap:break-word}body>:first-child{margin-top:0}body>:last-child{margin-bottom:0}"
    "img{max-width:100%;height:auto}table{max-width:100%}img:not([src]){padding:2px 10px;border:1px dashed #85817a;"
    "border-radius:6px;color:#585c61;font-size:13px}.text{white-space:pre-wrap}"
)
SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The images a browser shows and that cannot carry scripts."""
_PART: Final = re.compile(r' src="cid:([^"]*)"', re.IGNORECASE)


def document(html: str | None, text: str | None, attachments: Sequence[Any], *, remote: bool) -> str:
    """The whole page; a mail without HTML shows its text. ``remote``: fetch what was held back."""
    body = html if html else f'<div class="text">{escape(text or "")}</div>'
    body = with_pictures(body, attachments)
    if remote:
        body = body.replace(' data-remote-src="', ' src="')
    head = f'<head><meta charset="utf-8"><title>mail</title><style>{STYLE}</style></head>'
    return f"<!doctype html><html>{head}<body>{body}</body></html>"


def policy(*, remote: bool) -> str:
    """What the frame may load."""
    return POLICY.format(images="'self' https: http:" if remote else "'self'")


def with_pictures(html: str, attachments: Sequence[Any]) -> str:
    """The parts that the HTML shows by ``cid:`` (RFC 2392) come from our files; one that is missing has no address."""
    files = {one.content_id: one.blob_id for one in reversed(attachments) if one.content_id and shown(one)}

    def address(part: re.Match[str]) -> str:
        blob_id = files.get(unquote(unescape(part[1])))
        return f' src="/files/{blob_id}"' if blob_id else ""

    return _PART.sub(address, html)


def shown(attachment: Any) -> bool:
    """Whether the mail's frame shows this part, so that it need not be listed."""
    return bool(attachment.inline) and attachment.media_type in SHOWN
