"""Header fields as octets: RFC 5322 folding, RFC 2047 encoded words, RFC 2231 parameters, RFC 6532 where it must be.

Written out here, and not by the standard library, for two reasons: `EmailMessage` costs over a millisecond a message
(FINDINGS), and Python 3.11.7 lets a line break that hides in an encoded value out into the header (CVE-2024-6923).
Nothing here ever passes on CR, LF or NUL: `HeaderRefused`.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable, Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final
from urllib.parse import quote

from contracts.addresses import breaks_header
from contracts.conversation import Correspondent

_FOLD: Final = "\r\n "
LINE: Final = 76
"""Where lines are folded; the hard limit is 998 octets (RFC 5322 section 2.1.1)."""
_WORD_OCTETS: Final = 39
"""Octets of text per encoded word: with "Subject:" before it the line keeps to the 76 of RFC 2047 section 2."""
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PLAIN: Final = re.compile(r"[!-~]{1,60}(?: [!-~]{1,60})*")
_QUOTABLE: Final = re.compile(r"[ -~]{1,60}")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{3,900}>")
_Q_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = ["_" if octet == 0x20 else chr(octet) if octet in _Q_SAFE else f"={octet:02X}" for octet in range(256)]


class HeaderRefused(ValueError):
    """A header value with CR, LF or NUL in it, as it stands or after decoding; the message names the field, no more."""


def checked(field: str, value: str) -> str:
    """The value itself, or HeaderRefused where it would break out of its field, here or in a reader that decodes."""
    if breaks_header(value) or ("=?" in value and breaks_header(_decoded(value))):
        raise HeaderRefused(f"{field} holds CR, LF or NUL")
    return value


def _decoded(value: str) -> str:
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return ""
    return "".join(part if isinstance(part, str) else part.decode("latin-1") for part, _ in parts)


def unstructured(field: str, value: str) -> bytes:
    """A field like Subject: plain ASCII is folded at its spaces, everything else becomes encoded words."""
    if _PLAIN.fullmatch(checked(field, value)) and "=?" not in value:
        return _folded(field, value.split(" "))
    return _folded(field, encoded_words(value))


def addresses(field: str, people: Iterable[Correspondent]) -> bytes:
    """A field like From or To, one person a line; an address that is not ASCII stands as UTF-8 (RFC 6532)."""
    return f"{field}: {f',{_FOLD}'.join(mailbox(field, person) for person in people)}\r\n".encode()


def mailbox(field: str, person: Correspondent) -> str:
    """One address with its name: atoms as they are, other short ASCII quoted, the rest encoded (RFC 5322 3.4)."""
    address, name = f"<{checked(field, person.address)}>", checked(field, person.name)
    if not name:
        return address[1:-1]
    if "=?" not in name and len(name) <= _WORD_OCTETS and _ATOMS.fullmatch(name):
        return f"{name} {address}"
    if "=?" not in name and name.strip() == name and _QUOTABLE.fullmatch(name):
        return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + f'"{_FOLD}{address}'
    return _FOLD.join((*encoded_words(name), address))


def message_ids(field: str, values: Iterable[str]) -> bytes:
    """A field of msg-ids, one a line, empty where none is left.

    Ids that came in from outside and are none (spaces, not ASCII, endless) are left out: a message is not lost to them.
    """
    fit = [value for value in (checked(field, text).strip() for text in values) if _MESSAGE_ID.fullmatch(value)]
    return f"{field}: {_FOLD.join(fit)}\r\n".encode("ascii") if fit else b""


def file_name(name: str) -> str:
    """The file name parameter of Content-Disposition: quoted ASCII, else RFC 2231 with continuations."""
    checked("Content-Disposition", name)
    if _QUOTABLE.fullmatch(name) and not set(name) & {'"', "\\", "%"} and "=?" not in name:
        return f';{_FOLD}filename="{name}"'
    sections = _chunks(name, 18)
    if len(sections) == 1:
        return f";{_FOLD}filename*=utf-8''{quote(sections[0], safe='')}"
    first = f";{_FOLD}filename*0*=utf-8''{quote(sections[0], safe='')}"
    return first + "".join(f";{_FOLD}filename*{n}*={quote(part, safe='')}" for n, part in enumerate(sections) if n)


def encoded_words(value: str) -> Iterator[str]:
    """The text as encoded words in UTF-8, whichever of B and Q is shorter; no word splits a character."""
    for chunk in _chunks(value, _WORD_OCTETS):
        octets = chunk.encode()
        quoted = "".join(_Q[octet] for octet in octets)
        base64 = b2a_base64(octets, newline=False).decode("ascii")
        yield f"=?utf-8?q?{quoted}?=" if len(quoted) <= len(base64) else f"=?utf-8?b?{base64}?="


def _chunks(value: str, octets: int) -> list[str]:
    chunks, size = [""], 0
    for character in value:
        size += (width := len(character.encode()))
        if size > octets:
            chunks.append("")
            size = width
        chunks[-1] += character
    return chunks


def _folded(field: str, words: Iterable[str]) -> bytes:
    line, lines = f"{field}:", []
    for word in words:
        if len(line) + 1 + len(word) > LINE and line != f"{field}:":
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\r\n".join((*lines, line)).encode() + b"\r\n"
