"""Bodies as octets: CRLF line ends only, every line at most 998 octets, seven bits, by the lightest encoding that fits.

A lone CR or LF never leaves here: servers that disagree about line ends are how a second message is smuggled into the
first one's text (RFC 5321 section 2.3.8).
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from dataclasses import dataclass
from typing import Final

from services.outbox.adapters.mime_headers import HeaderRefused, checked, file_name, message_ids

_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")
_NOT_PLAIN: Final = re.compile(rb"[^\t\r\n -~]|[^\r\n]{990}")
_BASE64_LINE: Final = 57
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,60}/[A-Za-z0-9][A-Za-z0-9.+_-]{0,60}")
_COMPOSITE: Final = ("multipart/", "message/")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment with its content."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Image(File):
    """An image that the HTML shows by its content id, which stands here without brackets."""

    content_id: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One MIME entity (RFC 2045): the fields that describe it and its encoded body, which ends with CRLF."""

    fields: bytes
    body: bytes


def text_entity(subtype: str, text: str) -> Entity:
    """A ``text/<subtype>`` in UTF-8."""
    octets = normalised(text).encode("utf-8", "replace")
    encoding, body = _encoded(octets)
    fields = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n'
    return Entity(fields.encode("ascii"), body)


def normalised(text: str) -> str:
    """The text with CRLF for every kind of line end, and one at its end."""
    lines = _LINE_ENDS.sub("\r\n", text) if "\r" in text else text.replace("\n", "\r\n")
    return lines if lines.endswith("\r\n") else lines + "\r\n"


def _encoded(octets: bytes) -> tuple[str, bytes]:
    if not _NOT_PLAIN.search(octets):
        return "7bit", octets
    high = len(octets.translate(None, _ASCII))
    if 4 * high > len(octets):
        return "base64", base64_lines(octets)
    return "quoted-printable", b2a_qp(octets, istext=True)


_ASCII: Final = bytes(range(128))


def base64_lines(octets: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045 section 6.8)."""
    step = range(0, len(octets), _BASE64_LINE)
    return b"".join(b2a_base64(octets[at : at + _BASE64_LINE], newline=False) + b"\r\n" for at in step) or b"\r\n"


def file_entity(file: File) -> Entity:
    """An attachment; a media type that is none, or would have to be nested unencoded, becomes octet-stream."""
    return _attached(file, "attachment", b"")


def image_entity(image: Image) -> Entity:
    """An image beside the HTML that shows it (RFC 2387, 2392). Raises HeaderRefused for a content id that is none."""
    named = message_ids("Content-ID", (f"<{image.content_id}>",))
    if not named:
        raise HeaderRefused("Content-ID is none")
    return _attached(image, "inline", named)


def _attached(file: File, disposition: str, named: bytes) -> Entity:
    kind = checked("Content-Type", file.media_type)
    if not _MEDIA_TYPE.fullmatch(kind) or kind.lower().startswith(_COMPOSITE):
        kind = "application/octet-stream"
    fields = f"Content-Type: {kind}\r\nContent-Disposition: {disposition}{file_name(file.name)}\r\n".encode("ascii")
    return Entity(fields + named + b"Content-Transfer-Encoding: base64\r\n", base64_lines(file.content))


def multipart(subtype: str, boundary: str, parts: list[Entity], root: str = "") -> Entity:
    """The parts under one boundary, which is changed until none of them contains it; ``root``: the first one's type."""
    while any(boundary.encode("ascii") in part.body for part in parts):
        boundary += "+"
    mark = b"--" + boundary.encode("ascii")
    body = b"".join(b"%s\r\n%s\r\n%s\r\n" % (mark, part.fields, part.body) for part in parts) + mark + b"--\r\n"
    kind = f';\r\n type="{root}"' if root else ""
    fields = f'Content-Type: multipart/{subtype}{kind};\r\n boundary="{boundary}"\r\n'
    return Entity(fields.encode("ascii"), body)
