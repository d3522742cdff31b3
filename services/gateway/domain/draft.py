"""What somebody is writing and has not sent: theirs alone, by a name that says where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts import limits

LARGEST: Final = limits.TEXT_SIZE + 64 * limits.KIB
"""Octets of all fields: a text and what stands beside it."""
LIFE: Final = timedelta(seconds=limits.HORIZON)
"""So long after its last change a draft is forgotten."""
_NAME: Final = re.compile(r"[a-z0-9-]{1,120}")


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a form as they were typed; one that is there several times has several values."""

    name: str
    fields: Mapping[str, tuple[str, ...]]
    at: datetime


def named_well(name: str) -> bool:
    """Whether a draft can be called so."""
    return _NAME.fullmatch(name) is not None


def size_of(fields: Mapping[str, tuple[str, ...]]) -> int:
    """Octets of names and values."""
    return sum(len(text.encode("utf-8", "replace")) for name, values in fields.items() for text in (name, *values))
