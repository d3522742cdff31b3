"""Files: what they are called, what they are, and how large they may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from contracts import limits

NAME_LENGTH: Final = 200
SIGNATURE_IMAGE: Final = "signature_image"
ATTACHMENT: Final = "attachment"
LARGEST: Final = {SIGNATURE_IMAGE: limits.SIGNATURE_IMAGE, ATTACHMENT: limits.MESSAGE_SIZE}
"""Octets, by what a file is uploaded for."""
UNKNOWN_TYPE: Final = "application/octet-stream"
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
_UNSAFE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class File:
    """A stored file; ``size`` in octets, ``sha256`` in hex."""

    blob_id: str
    name: str
    media_type: str
    size: int
    sha256: str


def safe_name(name: str) -> str:
    """The last part of a name, without what would hide its ending or leave its folder."""
    last = re.split(r"[/\\]", _UNSAFE.sub("", name))[-1].strip().strip(".")
    return last if len(last) <= NAME_LENGTH else last[: NAME_LENGTH - 20] + last[-20:]


def media_type_of(declared: str | None) -> str:
    """The type without parameters, or the one that says nothing."""
    plain = (declared or "").partition(";")[0].strip().lower()
    return plain if _TYPE.fullmatch(plain) else UNKNOWN_TYPE
