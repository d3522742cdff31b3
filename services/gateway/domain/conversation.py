"""The conversation: messages with one client group on one channel, threaded by headers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from contracts import limits
from services.gateway.domain.content import Content
from services.gateway.domain.message import Person

TOGETHER: Final = "together"
"""One conversation, one e-mail, all clients in To (the only mode so far; ``separate`` is reserved)."""


PREVIEW: Final = 140
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f]+")


class Direction(StrEnum):
    """Which way a message went: ``in`` from a client, ``out`` from the desk."""

    IN = "in"
    OUT = "out"


class View(StrEnum):
    """A part of the conversations: all that are not hidden (a search looks at those too), those unread, those I wrote
    in, those with a message under the clock, those in which a message wants a person, the hidden ones."""

    ALL = "all"
    UNREAD = "unread"
    MINE = "mine"
    CLOCK = "clock"
    ATTENTION = "attention"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Last:
    """The newest message of a conversation; ``kind``: sent, received, auto_reply or bounce."""

    message_id: str
    direction: Direction
    kind: str
    at: datetime
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """``thread``: the last Message-IDs in order, at most 20; ``subject``: the one it started with.

    ``created_by`` is None where a client's mail opened it; ``unread``: how many that arrived nobody has read;
    ``trouble``: our messages that somebody did not get, or perhaps did not, until a person sees to them.
    """

    tenant: str
    conversation_id: str
    channel_id: str
    participants: tuple[Person, ...]
    subject: str | None
    created_at: datetime
    created_by: str | None
    last_at: datetime
    thread: tuple[str, ...] = ()
    hidden: bool = False
    version: int = 1
    unread: int = 0
    last: Last | None = None
    trouble: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations are looked for; ``words`` as ``words.asked_words`` makes them, ``me``: my names.

    ``among``: these conversations alone, for the view that is asked of the messages.
    """

    view: View = View.ALL
    channel_id: str | None = None
    words: tuple[str, ...] = ()
    me: tuple[str, ...] = ()
    among: tuple[str, ...] = ()


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


def preview_of(text: str) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text[: PREVIEW * 4].split())
    if not line.isprintable():
        line = _SPACE.sub(" ", line).strip()
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1].rstrip() + "…"
