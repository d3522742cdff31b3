"""Which leaves are the body and which are attachments (RFC 2046, 2183, 2387, 2392).

The body is a row of *slots*: all that stands in one multipart/alternative is a slot with a text and an HTML side, any
other text part is a slot with one. So a mail whose text goes on after a picture keeps all of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.ingest.domain.mail_charset import decoded, decoded_lines
from services.ingest.domain.mail_flowed import unflowed
from services.ingest.domain.mail_html import charset_in
from services.ingest.domain.mail_params import Structured, file_name, structured
from services.ingest.domain.mail_parts import Leaf, Tree
from services.ingest.domain.mail_transfer import octets_of
from services.ingest.domain.parsed import Attached

BODY_OCTETS = 4 << 20
"""Of each side of the body, all parts together; the sanitiser takes less."""
_RAW_OCTETS = 3 * BODY_OCTETS
_PLAIN = frozenset(["text/plain", "text/markdown", "text/enriched", "text/richtext", "text/x-markdown"])
_NO_DISPOSITION = Structured("")


@dataclass(slots=True)
class Slot:
    """One stretch of the body, as far as the mail gives each side of it."""

    text: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Bodies:
    """The body in the order of the mail, and everything else."""

    slots: list[Slot] = field(default_factory=list)
    attachments: list[Attached] = field(default_factory=list)
    truncated: set[str] = field(default_factory=set)
    room: dict[str, int] = field(default_factory=lambda: {"text": BODY_OCTETS, "html": BODY_OCTETS})


def bodies(octets: bytes, tree: Tree) -> Bodies:
    """Decodes every leaf and sorts it."""
    found = Bodies(truncated=set(tree.truncated))
    choices: dict[int, Slot] = {}
    for leaf in tree.leaves:
        raw = leaf.headers.first("content-disposition")
        disposition = structured(raw) if raw else _NO_DISPOSITION
        side = _side(leaf, disposition, tree, found)
        if side:
            _fill(found, choices, leaf, side, octets)
        else:
            _attach(found, leaf, disposition, octets)
    return found


def _side(leaf: Leaf, disposition: Structured, tree: Tree, found: Bodies) -> str:
    """`text` or `html` for what is body, an empty text for an attachment."""
    media = leaf.kind.value
    side = "html" if media == "text/html" else "text" if media in _PLAIN else ""
    if media[:10] == "multipart/" and not tree.truncated & {"depth", "parts"}:
        return "text"  # it shows no parts: what there is, is text
    if leaf is tree.leaves[0] and not leaf.holders and media[:5] == "text/" and not disposition.params.get("filename"):
        return side or "text"
    if not side or disposition.value == "attachment":
        return ""
    named = disposition.params.get("filename") or leaf.kind.params.get("name")
    if named and (leaf.choice == 0 and any(getattr(slot, side) or slot.html for slot in found.slots)):
        return ""  # a named text beside a body is a file; where there is no body yet it is the body
    return side


def _fill(found: Bodies, choices: dict[int, Slot], leaf: Leaf, side: str, octets: bytes) -> None:
    text = _text(found, leaf, side, octets)
    slot = choices.get(leaf.choice) if leaf.choice else None
    if slot is None:
        slot = Slot()
        found.slots.append(slot)
        if leaf.choice:
            choices[leaf.choice] = slot
    (slot.html if side == "html" else slot.text).append(text)


def _text(found: Bodies, leaf: Leaf, side: str, octets: bytes) -> str:
    if leaf.end - leaf.start > _RAW_OCTETS:
        found.truncated.add(side)
    content = octets_of(
        octets[leaf.start : min(leaf.end, leaf.start + _RAW_OCTETS)], leaf.headers.first("content-transfer-encoding")
    )
    if len(content) > found.room[side]:
        found.truncated.add(side)
        content = content[: found.room[side]]
    found.room[side] -= len(content)
    charset = leaf.kind.params.get("charset", "")
    if side == "html":
        return decoded(content, charset or charset_in(content)).replace("\0", "")
    text = decoded_lines(content, charset)
    return unflowed(text, leaf.kind.params) if "format" in leaf.kind.params else text


def _attach(found: Bodies, leaf: Leaf, disposition: Structured, octets: bytes) -> None:
    media = leaf.kind.value
    content_id = leaf.headers.first("content-id").strip("<> \t")[:500]
    raw = disposition.params.get("filename") or leaf.kind.params.get("name") or ""
    found.attachments.append(
        Attached(
            file_name=file_name(raw, media, len(found.attachments) + 1),
            media_type=media if len(media) <= 127 and media.isascii() else "application/octet-stream",
            octets=octets_of(
                memoryview(octets)[leaf.start : leaf.end], leaf.headers.first("content-transfer-encoding")
            ),
            content_id=content_id if content_id.isprintable() and content_id else None,
        )
    )
