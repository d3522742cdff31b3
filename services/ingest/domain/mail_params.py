"""Parameters of Content-Type and Content-Disposition (RFC 2045, 2183, 2231) and safe file names; never raises."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from services.ingest.domain.mail_charset import decoded, one_line
from services.ingest.domain.mail_words import words

FILE_NAME_OCTETS = 255
_MOST = 500
_VALUE = re.compile(r"\s*+([^\s/;,\"()]++)(?:\s*+/\s*+([^\s/;,\"()]++))?")
_PARAM = re.compile(
    r";\s*+([^\s=;\"*]++)(?:\*(\d{1,4}))?(\*)?\s*+=\s*+"
    r"(?:\"((?>(?:[^\"\\]|\\[\s\S])*))\"?|([^;]*+))"
)
_ESCAPED = re.compile(r'\\(["\\])')
_UNSAFE = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_ENDINGS = {
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "text/plain": ".txt",
    "text/rfc822-headers": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/svg+xml": ".svg",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/pkcs7-signature": ".p7s",
    "application/pgp-signature": ".asc",
    "application/json": ".json",
}


@dataclass(frozen=True, slots=True)
class Structured:
    """A value such as `text/plain` or `attachment` in lower case, with its parameters decoded."""

    value: str
    params: dict[str, str] = field(default_factory=dict)


def structured(text: str) -> Structured:
    """The field; `value` is empty where there is none."""
    found = _VALUE.match(text)
    if not found:
        return Structured("", _params(text))
    kind, subtype = found[1].lower(), found[2]
    value = f"{kind}/{subtype.lower()}" if subtype else kind
    return Structured(value, _params(text) if ";" in text else {})


def _params(text: str) -> dict[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, (name, index, extended, quoted, bare) in enumerate(_PARAM.findall(text)):
        if count >= _MOST:
            break
        value = _ESCAPED.sub(r"\1", quoted) if quoted else bare.strip()
        if index or extended:
            pieces.setdefault(name.lower(), {}).setdefault(int(index or 0), (value, bool(extended)))
        else:
            plain.setdefault(name.lower(), one_line(value))
    return plain | {name: _joined(each) for name, each in pieces.items()}


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Continuations in order (RFC 2231 section 3), percent-decoded where they say so, with one charset for all."""
    charset, octets = "", b""
    for count, index in enumerate(sorted(pieces)):
        value, extended = pieces[index]
        if count == 0 and extended and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        octets += unquote_to_bytes(value) if extended else value.encode("utf-8", "replace")
    return one_line(decoded(octets, charset))


def file_name(raw: str, media_type: str, number: int) -> str:
    """A name that can be shown and saved: no path, no control or bidi character, no name that a system reserves."""
    name = words(raw) if "=?" in raw else raw
    name = unicodedata.normalize("NFC", name) if not name.isascii() else name
    name = name.replace("\\", "/").rpartition("/")[2]
    if not (name.isascii() and name.isprintable()):
        name = "".join(each for each in name if unicodedata.category(each)[0] != "C")
    name = _UNSAFE.sub("_", one_line(name)).strip(" ").lstrip(".").rstrip(". ")
    if not name:
        name = f"attachment-{number}{_ENDINGS.get(media_type, '')}"
    if _RESERVED.match(name):
        name = f"_{name}"
    return _short(name)


def _short(name: str) -> str:
    """At most 255 octets, its ending kept."""
    octets = name.encode("utf-8", "replace")
    if len(octets) <= FILE_NAME_OCTETS:
        return name
    stem, dot, ending = name.rpartition(".")
    tail = (dot + ending).encode() if stem and len(ending.encode()) <= 20 else b""
    head = (stem if tail else name).encode("utf-8", "replace")[: FILE_NAME_OCTETS - len(tail)]
    return head.decode("utf-8", "ignore") + tail.decode()
