"""Ends that need no server: the message expired, or its channel was removed (DESIGN §3, §8)."""

from __future__ import annotations

from datetime import datetime

from services.outbox.domain.conclude import end_without_trying, has_expired
from services.outbox.domain.document import Message, Reason, Status
from services.outbox.domain.facts import Decision

_WAITING = frozenset({Status.QUEUED, Status.COMMITTED})


def expire(message: Message, now: datetime) -> Decision | None:
    """The end of a message that waits past its time; None where it does not."""
    return end_without_trying(message, now, Reason.EXPIRED) if waits(message) and has_expired(message, now) else None


def remove_channel(message: Message, now: datetime) -> Decision | None:
    """The end of a message whose channel is gone; an open transmission is settled first (None)."""
    return end_without_trying(message, now, Reason.CHANNEL_REMOVED) if waits(message) else None


def waits(message: Message) -> bool:
    """Whether the message waits for an attempt and nobody transmits it."""
    return message.status in _WAITING and message.transmission is None
