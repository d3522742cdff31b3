"""Content-Transfer-Encoding taken off (RFC 2045 section 6), as forgiving as mail must be; never raises."""

from __future__ import annotations

import binascii
import re

_NAME = re.compile(r"[\w-]+")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\n]*\n", re.MULTILINE)
_PADDED = re.compile(rb"=+")
_OF_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_NOT_BASE64 = bytes(set(range(256)) - set(_OF_BASE64.rstrip(b"=\r\n")))
_SAMPLE = 4_096
_MOST_PIECES = 1_000
_UU_NAMES = frozenset(["x-uuencode", "uuencode", "x-uue", "uue"])


def octets_of(content: bytes | memoryview, encoding: str) -> bytes:
    """What was encoded; `encoding` is the header field as the mail has it. Unknown ones are taken as none."""
    found = _NAME.search(encoding)
    name = found[0].lower() if found else ""
    if name == "base64" and not _plain(content):
        return base64(content)
    if name == "quoted-printable":
        return binascii.a2b_qp(content)
    return _uu(bytes(content)) if name in _UU_NAMES else bytes(content)


def _plain(content: bytes | memoryview) -> bool:
    """Whether it only says that it is base64: a fifteenth of its beginning could not stand in it."""
    sample = bytes(content[:_SAMPLE])
    return len(sample.translate(None, _OF_BASE64)) * 15 > len(sample)


def base64(content: bytes | memoryview) -> bytes:
    """What is base64 in it: other characters are left out, missing padding is borne, and it may go on after padding."""
    try:
        octets = binascii.a2b_base64(content)
    except binascii.Error:
        return _base64_pieces(bytes(content))
    # The decoder stops at the first padding; what stands behind it is decoded on its own.
    if len(content) > 4 * len(octets) // 3 + 4 and b"=" in (raw := bytes(content)).rstrip(b"=\r\n\t -"):
        return _base64_pieces(raw)
    return octets


def _base64_pieces(content: bytes) -> bytes:
    pieces = []
    for padded in _PADDED.split(content, _MOST_PIECES):
        piece = padded.translate(None, _NOT_BASE64)
        if len(piece) % 4 == 1:  # six bits of nothing
            piece = piece[:-1]
        pieces.append(binascii.a2b_base64(piece + b"=="))
    return b"".join(pieces)


def _uu(content: bytes) -> bytes:
    begin = _UU_BEGIN.search(content)
    octets = []
    for line in content[begin.end() if begin else 0 :].splitlines():
        if line == b"end":
            break
        try:
            octets.append(binascii.a2b_uu(line))
        except binascii.Error:  # some encoders miscount the last group
            octets.append(_uu_short(line))
    return b"".join(octets)


def _uu_short(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3])
    except binascii.Error:
        return b""
