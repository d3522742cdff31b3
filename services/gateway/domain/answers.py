"""What use cases answer, where a message or a conversation alone does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.gateway.domain.conversation import Conversation
from services.gateway.domain.message import Message
from services.gateway.domain.page import Page
from services.gateway.domain.timeline import Said

MOST_COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class Started:
    """A conversation and its first message, if one was written."""

    conversation: Conversation
    message: Message | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation with a page of what was said, the newest first."""

    conversation: Conversation
    messages: Page[Said]


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list; ``message`` is its last one where that went out, or the one the view is about."""

    conversation: Conversation
    message: Message | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for the desk, each at most ``MOST_COUNTED``: conversations unread, with a message under the clock,
    in which a message wants a person; and mails that could not be read."""

    unread: int
    clock: int
    attention: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """It was stopped: no server has accepted the message and none will be given it.

    ``cancel_id`` is the cancel that was answered, None where the end was known and nobody had to be asked.
    """

    message: Message
    outcome: str
    cancel_id: str | None


@dataclass(frozen=True, slots=True)
class Undecided:
    """The outbox has not answered yet; the answer will stand with the message under this cancel."""

    message: Message
    cancel_id: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A settings change that its owner has not answered yet; ``what`` is the path of what is to change."""

    request_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Granted:
    """A settings change that was made; ``version`` is the one that made it."""

    request_id: str
    version: int
