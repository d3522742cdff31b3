"""Lists in MongoDB that go from the newest to the oldest, cut behind (time, id)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from services.gateway.domain.page import Cut, Page
from services.kit.mongo import Document

T = TypeVar("T")


def behind(cut: Cut, at: str, name: str = "message_id") -> Document:
    """The part of a query that leaves out what came before; ``at`` and ``name`` are the fields of the position."""
    if not cut.after:
        return {}
    moment = datetime.fromisoformat(cut.after[0])
    # The first condition is implied by the second; it lets the index end where the page begins.
    return {at: {"$lte": moment}, "$or": [{at: {"$lt": moment}}, {at: moment, name: {"$lt": cut.after[1]}}]}


def cut_of(found: Sequence[T], cut: Cut, place: Callable[[T], tuple[str, ...]]) -> Page[T]:
    """The page of what was found with one more than the limit."""
    items = tuple(found[: cut.limit])
    return Page(items, place(items[-1]) if len(found) > cut.limit else None)
