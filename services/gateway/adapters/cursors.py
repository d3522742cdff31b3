"""Opaque cursors: the position behind the last item. A forged one leads nowhere but into a caller's own list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.gateway.domain.page import Cut
from services.gateway.domain.refusal import Refused, invalid

MOST: Final = 200
USUAL: Final = 50
_BAD: Final = invalid("cursor", "invalid", "Take the cursor from `next` of the list before.")


def cursor_of(after: tuple[str, ...] | None) -> str | None:
    """The cursor that continues a list there."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode().rstrip("=")


def read_cut(limit: str | None, cursor: str | None, kind: str = "i") -> Cut | Refused:
    """Which part of a list is wanted; ``kind``: what its position consists of, r(ank) 1 or 0, t(ime), i(d)."""
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST):
        return invalid("limit", "range", f"Choose between 1 and {MOST}.")
    after = _position(cursor, kind) if cursor else None
    if isinstance(after, Refused):
        return after
    return Cut(int(limit) if limit else USUAL, after)


def _position(cursor: str, kind: str) -> tuple[str, ...] | Refused:
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return _BAD
    if not isinstance(found, list) or len(found) != len(kind) or not all(isinstance(one, str) for one in found):
        return _BAD
    return tuple(found) if all(_IS[part](one) for part, one in zip(kind, found, strict=True)) else _BAD


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_IS: Final[dict[str, Callable[[str], bool]]] = {
    "r": lambda text: text in ("0", "1"), "t": _is_time, "i": lambda text: "\0" not in text
}  # fmt: skip
