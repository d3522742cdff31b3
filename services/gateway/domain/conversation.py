"""The conversation: messages with one client group on one channel, threaded by headers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts import limits
from services.gateway.domain.content import Content
from services.gateway.domain.message import Person

TOGETHER: Final = "together"
"""One conversation, one e-mail, all clients in To (the only mode so far; ``separate`` is reserved)."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """``thread``: the last Message-IDs in order, at most 20; ``subject``: the one it started with."""

    tenant: str
    conversation_id: str
    channel_id: str
    participants: tuple[Person, ...]
    subject: str | None
    created_at: datetime
    created_by: str
    last_at: datetime
    thread: tuple[str, ...] = ()
    hidden: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class Start:
    """Who is to be in the conversation, and what is said first, if anything."""

    channel_id: str
    clients: tuple[Person, ...]
    first: Content | None


def without(participants: Sequence[Person], own_address: str) -> tuple[Person, ...]:
    """Everybody a message goes to: each address once, our own left out."""
    seen = {own_address.lower()}
    found = []
    for person in participants:
        if person.address.lower() not in seen:
            seen.add(person.address.lower())
            found.append(person)
    return tuple(found)


def threading_of(conversation: Conversation) -> tuple[str | None, tuple[str, ...]]:
    """In-Reply-To and References of the next message (RFC 5322 section 3.6.4), the last 20."""
    thread = conversation.thread[-limits.REFERENCES :]
    return (thread[-1] if thread else None), thread


def reply_subject(conversation: Conversation) -> str | None:
    """The subject of a reply that names none; None where the conversation has none either."""
    if not conversation.subject:
        return None
    if conversation.subject.lower().startswith("re:"):
        return conversation.subject
    return f"Re: {conversation.subject}"
