"""HTML made plain enough to be tokenised: without comments, scripts and styles, awkward elements renamed to `x-…`.

Awkward are elements that switch the tokeniser (script, style, svg, math, textarea …) or change the rules for end tags
(select, template, button …); no e-mail needs them.
"""

from __future__ import annotations

import re

from services.kit.html_tokens import NAMES, WS

_RENAMED = (
    "script style title textarea xmp iframe noembed noframes noscript plaintext svg math select option optgroup frame "
    "frameset template object applet marquee button form fieldset legend input keygen search dialog selectedcontent"
)
_UNSEEN = re.compile(
    r"<!--(?:-?>|[\s\S]*?(?:--!?>|\Z))"
    rf"|<(script|style|title|noembed|noframes)(?=[{WS}/>])[^>]*+>?[\s\S]*?(?:</\1(?=[{WS}/>])[^>]*+>?|\Z)",
    re.IGNORECASE,
)
_RENAME = re.compile(rf"<(/?)(?=(?:{_RENAMED.replace(' ', '|')})[{WS}/>])", re.IGNORECASE)
_AWKWARD = frozenset(_RENAMED.split())


class TooLarge(ValueError):
    """More octets than the profile takes."""


def prepared(html: str, size: int) -> str:
    """The HTML without comments, scripts and style sheets, other awkward elements renamed to `x-…`.

    It may still be too deep for a parser, but what `TOKEN` finds in it is what a parser would find. Raises `TooLarge`.
    """
    text = _sized(html, size)
    if "<!--" in text or _has_awkward(text):
        text = _UNSEEN.sub("", text)
        if _has_awkward(text):  # asked again: taking something out may join what stood around it to a new tag
            text = _RENAME.sub(r"<\1x-", text)
    return text


def _has_awkward(text: str) -> bool:
    return not _AWKWARD.isdisjoint(map(str.lower, set(NAMES.findall(text))))


def _sized(html: str, size: int) -> str:
    """Without halves of characters."""
    if html.isascii() and len(html) <= size:
        return html
    if len(html) > size or len(octets := html.encode("utf-8", "replace")) > size:
        raise TooLarge(f"more than {size} octets")
    return octets.decode()
