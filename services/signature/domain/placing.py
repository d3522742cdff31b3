"""Where the signature stands: under the body, above quoted text, after the ``-- `` delimiter.

The delimiter line is dash, dash, space (RFC 3676 section 4.3), so mail programs can fold the signature away. Quoted
text is the block at the very end, with the line that introduces it; a reply between quotes is signed at its end.
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

DELIMITER: Final = "-- "

_INTRODUCTION: Final = re.compile(r"\S.*:\s*")
_TAGS: Final = re.compile(r"<[^>]*>")
_QUOTE: Final = re.compile(r"<(/?)blockquote\b[^>]*>", re.IGNORECASE)
_HTML_INTRODUCTION: Final = re.compile(r"<(p|div)(?: [^<>]*)?>[^<]{1,300}:\s*(?:<br ?/?>\s*)?</\1>\s*$", re.IGNORECASE)
_WEB: Final = re.compile(r"\bhttps?://(?:[^\s<>&\"']|&amp;)+(?<![.,:;!?)\]])")
_BLANK: Final = re.compile(r"(?:\s|&nbsp;|\u00a0)*")


def place_text(body: str, signature: str) -> str:
    """The text with its signature; the body's own line ends become LF."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = _quoted_from(lines)
    above, quoted = "\n".join(lines[:cut]).rstrip("\n"), "\n".join(lines[cut:]).rstrip("\n")
    signed = f"{above}\n\n{DELIMITER}\n{signature}\n" if above else f"{DELIMITER}\n{signature}\n"
    return f"{signed}\n{quoted}\n" if quoted else signed


def place_html(body: str, signature: str) -> str:
    """The HTML (sanitised, both) with its signature."""
    cut = _quoted_at(body)
    return f"{body[:cut]}{_block(signature)}{body[cut:]}"


def text_as_html(body: str, signature: str) -> str:
    """A text as HTML with its signature (sanitised HTML), line by line as it was written; addresses become links."""
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = _quoted_from(lines)
    above, quoted = "\n".join(lines[:cut]).rstrip("\n"), "\n".join(lines[cut:]).rstrip("\n")
    return f"<div>{_marked_up(above)}</div>{_block(signature)}" + (
        f"<div><br>{_marked_up(quoted)}</div>" if quoted else ""
    )


def _block(signature: str) -> str:
    return f"<div><br>{DELIMITER}<br></div><div>{signature}</div>"


def _marked_up(text: str) -> str:
    linked = _WEB.sub(r'<a href="\g<0>">\g<0></a>', escape(text))
    return linked.replace("  ", " &nbsp;").replace("\n", "<br>\n")


def _quoted_from(lines: list[str]) -> int:
    """The first line of the quoted block at the end, or the number of lines where there is none."""
    last = len(lines)
    while last and not lines[last - 1].strip():
        last -= 1
    first = last
    while first and (lines[first - 1].startswith(">") or not lines[first - 1].strip()):
        first -= 1
    if not any(line.startswith(">") for line in lines[first:last]):
        return len(lines)
    while not lines[first].strip():
        first += 1
    return _introduced(lines, first)


def _introduced(lines: list[str], first: int) -> int:
    """One or two lines above that say whose words follow ("On ..., Ana wrote:") belong to the quote."""
    above = first
    while above and not lines[above - 1].strip():
        above -= 1
    if not above or not _INTRODUCTION.fullmatch(lines[above - 1]):
        return first
    start = above - 1
    return start - 1 if start and _continues(lines[start - 1]) else start


def _continues(line: str) -> bool:
    """A broken introduction's first half, as some programs wrap it."""
    return bool(re.match(r"(On|Em|Am|Le|El|Il) .*\d", line))


def _quoted_at(body: str) -> int:
    """Where the last outermost ``blockquote`` begins if nothing is written after it, else the end."""
    depth, start, end = 0, len(body), -1
    for tag in _QUOTE.finditer(body):
        if not tag[1]:
            start = tag.start() if depth == 0 else start
            depth += 1
        elif depth:
            depth -= 1
            end = tag.end() if depth == 0 else end
    if end < start or not _BLANK.fullmatch(_TAGS.sub("", body[end:])):
        return len(body)
    introduction = _HTML_INTRODUCTION.search(body, max(0, start - 600), start)
    return introduction.start() if introduction else start
