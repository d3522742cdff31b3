"""What a decision says happened, besides the new document. Handlers turn facts into events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.outbox.domain.document import Cancel, Message, Status, altered


class Outcome(StrEnum):
    """The answer to a cancel."""

    INTERRUPTED = "interrupted"
    ALREADY_INTERRUPTED = "already_interrupted"
    TOO_LATE = "too_late"
    UNKNOWN_MESSAGE = "unknown_message"


class Told(StrEnum):
    """A fact about the message that the new document itself describes."""

    QUEUED = "queued"
    COMMITTED = "committed"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Answered:
    """A cancel has its one answer; ``status`` of the message then, None where there is no message."""

    cancel: Cancel
    outcome: Outcome
    status: Status | None


Fact = Told | Answered


@dataclass(frozen=True, slots=True)
class Decision:
    """The new document and the facts that are written with it, in one compare-and-set."""

    after: Message
    facts: tuple[Fact, ...] = ()


def changed(before: Message, *facts: Fact, **fields: Any) -> Decision:
    """The decision to change these fields of the document; the version rises by one."""
    return Decision(altered(before, version=before.version + 1, **fields), facts)
