"""What is known of an HTML body without parsing it: its charset, what it shows by `cid:`; and plain text as HTML."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import unquote

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w:.-]{1,40})""", re.IGNORECASE)
_CID = re.compile(r"""cid:([^"'\s>)]{1,500})""", re.IGNORECASE)
_LOOK = 2_048


def charset_in(content: bytes) -> str:
    """The charset that a document without a declared one names itself (HTML section 13.2.3.2)."""
    found = _META.search(content, 0, _LOOK)
    return found[1].decode("ascii") if found else ""


def shown_inside(html: str | None) -> frozenset[str]:
    """The Content-IDs that an HTML body refers to (RFC 2392)."""
    if not html or "cid:" not in html:
        return frozenset()
    return frozenset(unquote(each) for each in _CID.findall(html))


def as_html(text: str) -> str:
    """Text as a block of HTML, its lines kept."""
    return f"<div>{escape(text, quote=False).replace(chr(10), '<br>')}</div>"
