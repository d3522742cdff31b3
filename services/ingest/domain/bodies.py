"""What of a mail travels in its event, and what is kept beside it: attachments, and bodies over 64 KiB. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from contracts.limits import INLINE_TEXT
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.identity import blob_id
from services.ingest.domain.parsed import Attached, Held, Parsed


@dataclass(frozen=True, slots=True)
class Kept:
    """A part to be stored; ``blob_id`` is the same whenever the mail is taken again. ``held``: its octets are there."""

    blob_id: str
    sha256: str
    media_type: str
    octets: bytes = field(repr=False)
    held: Held | None = None

    @property
    def size(self) -> int:
        """In octets."""
        return len(self.octets) if self.held is None else self.held.size


@dataclass(frozen=True, slots=True)
class Bodies:
    """The texts inline or kept, never both; the attachments with what is kept of each; ``cut`` names what was cut."""

    text: str | Kept | None = None
    html: str | Kept | None = None
    new_part: str | None = None
    attachments: tuple[tuple[Attached, Kept], ...] = ()
    cut: tuple[str, ...] = ()

    def kept(self) -> Iterator[Kept]:
        """Everything that is to be stored."""
        yield from (each for each in (self.text, self.html) if isinstance(each, Kept))
        yield from (each for _, each in self.attachments)


def bodies_of(key: ChannelKey, sha256: str, parsed: Parsed) -> Bodies:
    """``sha256``: of the whole mail."""
    new_part, cut = _cut(parsed.new_part)
    attachments = tuple((each, _attached(key, sha256, str(n), each)) for n, each in enumerate(parsed.attachments))
    text, html = _long(parsed.text), _long(parsed.html)
    return Bodies(
        parsed.text if text is None else _kept(key, sha256, "text", text, "text/plain"),
        parsed.html if html is None else _kept(key, sha256, "html", html, "text/html"),
        new_part, attachments, cut,
    )  # fmt: skip


def _kept(key: ChannelKey, sha256: str, part: str, octets: bytes, media_type: str) -> Kept:
    return Kept(blob_id(key, sha256, part), hashlib.sha256(octets).hexdigest(), media_type, octets)


def _attached(key: ChannelKey, sha256: str, part: str, it: Attached) -> Kept:
    if it.held is None:
        return _kept(key, sha256, part, it.octets, it.media_type)
    return Kept(blob_id(key, sha256, part), it.held.sha256, it.media_type, b"", it.held)


def _long(text: str | None) -> bytes | None:
    """The octets of a text too long to travel in the event."""
    if text is None or len(text) * 4 <= INLINE_TEXT:
        return None
    octets = text.encode("utf-8", "replace")
    return octets if len(octets) > INLINE_TEXT else None


def _cut(text: str | None) -> tuple[str | None, tuple[str, ...]]:
    octets = _long(text)
    if octets is None:
        return text, ()
    return octets[:INLINE_TEXT].decode("utf-8", "ignore"), ("new_part",)
