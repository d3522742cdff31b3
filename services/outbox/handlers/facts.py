"""Facts as events: the one table between what the rules say and the published contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from contracts.event import AnyEvent, Trace, event
from contracts.message import MessageComposed
from contracts.outbound import (
    FailureReason,
    InterruptAnswered,
    InterruptOutcome,
    KnownBy,
    MessageCommitted,
    MessageDeferred,
    MessageFailed,
    MessageInterrupted,
    MessageQueued,
    MessageSent,
    OutboundFact,
    RecipientReport,
    RecipientState,
    Status,
)
from services.outbox.domain.document import Message
from services.outbox.domain.facts import Answered, Decision, Told

SOURCE = "outbox"
Fields = dict[str, Any]


def speak(decision: Decision, now: datetime, composed: MessageComposed | None = None) -> tuple[AnyEvent, ...]:
    """The events that this decision owes, in order. ``composed``: for MessageQueued, which tells it all."""
    message = decision.after
    trace = Trace(message.traceparent, message.correlation_id)
    said = [
        answered(message, fact) if isinstance(fact, Answered) else _told(message, fact, composed)
        for fact in decision.facts
    ]
    return tuple(
        event(message.tenant, each, at=now, source=SOURCE, n=n, trace=trace) for n, each in enumerate(said)
    )  # fmt: skip


def answered(message: Message, fact: Answered) -> InterruptAnswered:
    """The answer to a cancel; the same content whenever it is given."""
    return InterruptAnswered(
        version=message.version, message_id=message.message_id, cancel_id=fact.cancel.cancel_id,
        outcome=InterruptOutcome(fact.outcome.value), status=Status(fact.status.value) if fact.status else None,
        requested_by=fact.cancel.requested_by,
    )  # fmt: skip


def doc_id(message: Message) -> str:
    """The document's id in a store, as the relay knows it."""
    return f"{message.tenant}/{message.message_id}"


def _told(message: Message, fact: Told, composed: MessageComposed | None) -> OutboundFact:
    if fact is Told.QUEUED:
        return _queued(message, composed)
    kind, fields = _TABLE[fact]
    return kind(**_identity(message), **fields(message))


def _identity(message: Message) -> Fields:
    return {
        "version": message.version, "message_id": message.message_id, "conversation_id": message.conversation_id,
        "channel_id": message.channel_id, "operator_id": message.operator_id,
    }  # fmt: skip


def _queued(message: Message, composed: MessageComposed | None) -> MessageQueued:
    if composed is None:
        raise ValueError("only an intake queues a message for the first time")
    return MessageQueued(
        **_identity(message), internet_message_id=composed.internet_message_id, to=composed.to,
        subject=composed.subject, signature=composed.signature, accepted_at=composed.accepted_at,
        undo_until=message.undo_until or composed.accepted_at, due_at=message.due_at or composed.accepted_at,
        expires_at=composed.expires_at, sha256=message.raw.sha256 if message.raw else None,
        size=message.raw.size if message.raw else None,
    )  # fmt: skip


def _reports(message: Message) -> tuple[RecipientReport, ...]:
    return tuple(
        RecipientReport(
            address=each.address, state=RecipientState(each.state.value), code=each.code, enhanced=each.enhanced,
            text=each.text,
        )
        for each in message.recipients
    )  # fmt: skip


def _committed(message: Message) -> Fields:
    to = message.transmission.to if message.transmission else ()
    return {"attempt": message.attempt, "recipients": to}


def _deferred(message: Message) -> Fields:
    return {
        "attempt": message.attempt, "next_attempt_at": message.due_at,
        "interruptible": message.status.value == Status.QUEUED.value, "recipients": _reports(message),
    }  # fmt: skip


def _sent(message: Message) -> Fields:
    known_by = KnownBy.ANSWER if message.resolved_at is None else KnownBy.SENT_COPY
    return {"sent_at": message.terminal_at, "recipients": _reports(message), "known_by": known_by}


def _failed(message: Message) -> Fields:
    reason = FailureReason(message.reason.value if message.reason else "other")
    return {"failed_at": message.terminal_at, "reason": reason, "recipients": _reports(message)}


def _interrupted(message: Message) -> Fields:
    by = tuple(dict.fromkeys(each.requested_by for each in message.interrupted_by))
    return {"interrupted_at": message.terminal_at, "interrupted_by": by}


_TABLE: Mapping[Told, tuple[type[OutboundFact], Callable[[Message], Fields]]] = {
    Told.COMMITTED: (MessageCommitted, _committed),
    Told.DEFERRED: (MessageDeferred, _deferred),
    Told.SENT: (MessageSent, _sent),
    Told.FAILED: (MessageFailed, _failed),
    Told.INTERRUPTED: (MessageInterrupted, _interrupted),
}
