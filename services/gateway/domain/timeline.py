"""What was said in a conversation, both ways, the newest first."""

from __future__ import annotations

from datetime import datetime

from services.gateway.domain.inbound import Inbound
from services.gateway.domain.message import Message
from services.gateway.domain.page import Page

Said = Message | Inbound


def place_of(said: Said) -> tuple[datetime, str]:
    """Where it stands: when it was accepted or arrived, then by id."""
    return (said.accepted_at if isinstance(said, Message) else said.at), said.message_id


def position_of(said: Said) -> tuple[str, ...]:
    """The same as a position in a list."""
    at, message_id = place_of(said)
    return at.isoformat(), message_id


def merged(limit: int, ours: Page[Message], theirs: Page[Inbound]) -> Page[Said]:
    """One page of two that were cut at the same place with the same limit."""
    found: list[Said] = [*ours.items, *theirs.items]
    found.sort(key=place_of, reverse=True)
    more = len(found) > limit or ours.after is not None or theirs.after is not None
    items = tuple(found[:limit])
    return Page(items, position_of(items[-1]) if more and items else None)
