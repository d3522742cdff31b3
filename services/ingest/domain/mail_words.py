"""Header text: encoded words (RFC 2047), raw UTF-8 and the 8-bit text of careless mailers, as one clean line."""

from __future__ import annotations

import binascii
import re

from services.ingest.domain.mail_charset import decoded, one_line
from services.ingest.domain.mail_transfer import base64

# Linear: applied to what ends with the last `?=`, so every start finds its end.
_WORD = re.compile(r"=\?([\w.:+()-]{1,40})(?:\*[^?\s]*+)?\?([bBqQ])\?((?>(?:[^?]|\?(?!=))*))\?=")


def words(value: str) -> str:
    """The text of an unstructured field, one line; adjacent words are joined before they are decoded."""
    return one_line(_decoded(value) if "=?" in value else value)


def _decoded(value: str) -> str:
    end = value.rfind("?=") + 2
    out: list[str] = []
    charset, octets, at = "", b"", 0
    for found in _WORD.finditer(value, 0, end):
        gap = value[at : found.start()]
        label, encoded = found[1].lower(), _octets(found[2], found[3])
        if octets and label == charset and (not gap or gap.isspace()):
            octets += encoded  # a character may be cut in two between words
        else:
            out += [decoded(octets, charset), "" if at and gap.isspace() else gap]
            charset, octets = label, encoded
        at = found.end()
    return "".join([*out, decoded(octets, charset), value[at:]])


def _octets(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "bB":
        return base64(raw)
    return binascii.a2b_qp(raw, header=True)
