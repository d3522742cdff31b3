"""A header block (RFC 5322 section 2.2) read leniently and within limits; never raises.

A line that is no field is passed over while fields follow; where none follow, the body begins with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.ingest.domain.mail_charset import decoded
from services.ingest.domain.mail_words import words

BLOCK_OCTETS = 256 << 10
FIELD_OCTETS = 16 << 10
FIELDS = 1_000

_END = re.compile(rb"\n\r?\n")
_EMPTY_LINES = re.compile(rb"[\r\n]*+")
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:")
_FIELDS = re.compile(r"^([!-9;-~]++)[ \t]*+:[ \t]*+(.*+(?>(?:\n[ \t].*+)*))(?:\n|\Z)", re.MULTILINE)


@dataclass(slots=True)
class Headers:
    """The fields by name in lower case, values unfolded but not decoded, in the order of the mail."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    truncated: bool = False

    def first(self, name: str) -> str:
        """The first field of that name as it stands, or an empty text."""
        found = self.fields.get(name)
        return found[0].strip() if found else ""

    def each(self, name: str) -> list[str]:
        """All fields of that name as they stand."""
        return self.fields.get(name, [])

    def text(self, name: str) -> str:
        """The first field of that name, decoded, one line."""
        found = self.fields.get(name)
        return words(found[0]) if found else ""


def read_headers(octets: bytes, start: int = 0, end: int | None = None) -> tuple[Headers, int]:
    """The fields of the entity in `octets[start:end]`, and where its body begins."""
    last = len(octets) if end is None else end
    begin = _begin(octets, start, last)
    if octets.startswith((b"\n", b"\r\n"), begin, last):
        return Headers(), min(last, begin + (1 if octets[begin] == 10 else 2))
    found = _END.search(octets, begin, last)
    stop, body = (found.start(), found.end()) if found else (last, last)
    cut = min(stop, begin + BLOCK_OCTETS)
    headers, junk = _fields(octets[begin:cut])
    headers.truncated |= cut < stop
    return headers, body if junk is None or cut < stop else begin + junk


def _begin(octets: bytes, start: int, end: int) -> int:
    """Empty lines before the first field are passed over, if a field follows them."""
    skip = _EMPTY_LINES.match(octets, start, end)
    at = skip.end() if skip else start
    return at if at > start and _FIELD.match(octets[at : min(end, at + 1000)]) else start


def _fields(block: bytes) -> tuple[Headers, int | None]:
    """The fields, and where the block stops to be one: None if it never does."""
    text = block.replace(b"\r\n", b"\n").replace(b"\r", b" ").decode("latin-1")  # octet by octet: nothing is lost
    headers = Headers()
    fields, ascii_only, at = headers.fields, text.isascii(), 0
    for count, found in enumerate(_FIELDS.finditer(text)):
        at = found.end()
        if count == FIELDS:
            headers.truncated = True
            return headers, None
        name, value = found.groups()
        if len(value) > FIELD_OCTETS:
            headers.truncated, value = True, _cut(name, value)
        if "\n" in value:
            value = value.replace("\n", "")
        fields.setdefault(name.lower(), []).append(value if ascii_only else _decoded(value))
    if at < len(text) and not text.startswith(("From ", ">From "), at):
        return headers, _octets_before(block, text.count("\n", at))
    return headers, None


def _octets_before(block: bytes, lines: int) -> int:
    """Where the last lines of the block begin, that many line ends before its end."""
    return len(block) - len(b"\n".join(block.split(b"\n")[-1 - lines :]))


def _cut(name: str, value: str) -> str:
    """Of a list the entries that are whole; of References both ends, the root of the thread and the nearest."""
    if name.lower() == "references":
        half = FIELD_OCTETS // 2
        return f"{value[:half]} <> {value[-half:]}"
    whole = value.rfind(",", 0, FIELD_OCTETS)
    return value[: whole if whole > FIELD_OCTETS - 1_000 else FIELD_OCTETS]


def _decoded(value: str) -> str:
    return value if value.isascii() else decoded(value.encode("latin-1"))
