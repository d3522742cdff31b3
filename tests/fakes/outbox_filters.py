"""What the outbox's store in memory matches and sets; a model run's mutations take single rules out of here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.event import AnyEvent
from contracts.outbound import MessageQueued
from services.outbox.domain import attempt
from services.outbox.domain.document import SCHEMA, Message, altered
from services.outbox.ports import Birth, Change, Ticket


def key(tenant: str, message_id: str) -> str:
    """The key of a document: the tenant first."""
    return f"{tenant}/{message_id}"


def matches(change: Change, standing: Message | None, now: datetime) -> bool:
    """The filter of a compare-and-set."""
    before = change.before
    if standing is None or standing.schema > SCHEMA or standing.version != before.version:
        return False
    if change.lapsed and not (standing.transmission and standing.transmission.until < now):
        return False
    return standing.status is before.status and standing.attempt == before.attempt and _by(standing) == _by(before)


def commits(change: Change, standing: Message | None, now: datetime) -> bool:
    """The filter of a commit."""
    if standing is None or not matches(change, standing, now) or not attempt.can_be_taken_up(standing):
        return False
    return due_of(standing) <= now and (standing.expires_at is None or now < standing.expires_at)


def timed(birth: Birth, now: datetime) -> tuple[Message, tuple[AnyEvent, ...]]:
    """The document and the events it owes, with the times the store sets."""
    message = altered(birth.message, created_at=now)
    if birth.undo_seconds is None:
        return message, birth.owed
    undo_until = now + timedelta(seconds=birth.undo_seconds)
    due_at = undo_until + timedelta(seconds=birth.grace_seconds)
    times = {"undo_until": undo_until, "due_at": due_at}
    owed = tuple(_timed_event(each, times, now) for each in birth.owed)
    return altered(message, undo_until=undo_until, due_at=due_at), owed


def _timed_event(event: AnyEvent, times: dict[str, datetime], now: datetime) -> AnyEvent:
    if not isinstance(event.data, MessageQueued):
        return event
    return replace(event, time=now, data=event.data.model_copy(update=times))


def _by(message: Message) -> str | None:
    return message.transmission.by if message.transmission else None


def due_of(message: Message) -> datetime:
    """When it is due; never, where it is not."""
    return message.due_at or datetime.max.replace(tzinfo=UTC)


def ticket(message: Message) -> Ticket:
    """As a lane lists it."""
    return Ticket(
        message.tenant, message.channel_id, message.message_id, message.conversation_id, due_of(message),
        message.tries == 0,
    )  # fmt: skip
