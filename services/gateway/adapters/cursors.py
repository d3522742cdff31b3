"""Opaque cursors: the position behind the last item. A forged one leads nowhere but into a caller's own list."""

from __future__ import annotations

import base64
import binascii
import json
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


def read_cut(limit: str | None, cursor: str | None, *, timed: bool = False) -> Cut | Refused:
    """Which part of a list is wanted; ``timed`` lists begin their position with a time."""
    if limit is not None and not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= MOST):
        return invalid("limit", "range", f"Choose between 1 and {MOST}.")
    after = _position(cursor, timed=timed) if cursor else None
    if isinstance(after, Refused):
        return after
    return Cut(int(limit) if limit else USUAL, after)


def _position(cursor: str, *, timed: bool) -> tuple[str, ...] | Refused:
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return _BAD
    length = 2 if timed else 1
    if not isinstance(found, list) or len(found) != length or not all(isinstance(one, str) for one in found):
        return _BAD
    return tuple(found) if not timed or _is_time(found[0]) else _BAD


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
