"""The message as people and programs read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from contracts.payload import trusted
from services.gateway.domain.answers import Interrupted, Undecided
from services.gateway.domain.message import Message, Person, Recipient


class Resource(BaseModel):
    """Something that is answered; readers ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, from_attributes=True, defer_build=True)


class PersonResource(Resource):
    """An address with its name."""

    address: str
    name: str


class RecipientResource(Resource):
    """What is known of one recipient: open, accepted, refused, maybe, unknown or stopped; and the server's reply."""

    address: str
    state: str
    code: int | None
    enhanced: str | None
    text: str | None


class AskedResource(Resource):
    """Who asked to interrupt, and when."""

    by: str
    at: datetime


class CancelResource(Resource):
    """One wish to interrupt; ``outcome`` is null until it is decided, and true for ever then."""

    cancel_id: str
    asked: tuple[AskedResource, ...]
    outcome: str | None
    status: str | None


class ReturnedResource(Resource):
    """One recipient a delivery report speaks of: failed, delayed, delivered, relayed or expanded."""

    address: str
    action: str
    status: str | None
    diagnostic: str | None


class BounceResource(Resource):
    """A delivery report about this message; ``message_id`` is the report's own, as it arrived."""

    message_id: str
    at: datetime
    recipients: tuple[ReturnedResource, ...]


class ResolutionResource(Resource):
    """What a person decided about a parked message."""

    kind: str
    by: str
    at: datetime
    message_id: str | None


class MessageResource(Resource):
    """A message. ``interruptible`` is the clock; ``undo_until`` ends its countdown, null before the message is held.

    ``status``: accepted, queued, committed (*sending*), sent, failed or interrupted. ``parked``: nobody can know
    whether it was sent, and nobody has decided yet. ``reason``: why it failed; of a sent one ``sent_copy`` where it had
    been parked and its copy was found in the Sent mailbox.
    """

    direction: Literal["out"] = "out"
    message_id: str
    conversation_id: str
    channel_id: str
    status: str
    interruptible: bool
    undo_until: datetime | None
    due_at: datetime | None
    next_attempt_at: datetime | None
    attempt: int | None
    finished_at: datetime | None
    reason: str | None
    parked: bool
    resolution: ResolutionResource | None
    subject: str
    text: str | None
    html: str | None
    body_stored: bool
    to: tuple[PersonResource, ...]
    recipients: tuple[RecipientResource, ...]
    operator_id: str | None
    requested_by: str
    signature: dict[str, Any] | None
    cancels: tuple[CancelResource, ...]
    interrupted_by: tuple[str, ...]
    bounces: tuple[BounceResource, ...]
    internet_message_id: str
    resend_of: str | None
    undo_seconds: int
    accepted_at: datetime
    expires_at: datetime
    hidden: bool

    @classmethod
    def of(cls, message: Message) -> MessageResource:
        """What the reader sees of a message."""
        progress = message.progress
        fields: dict[str, Any] = {name: getattr(message, name) for name in _PLAIN}
        fields |= {name: getattr(progress, name) for name in _PROGRESS}
        fields |= {
            "direction": "out", "status": str(message.status), "interruptible": message.interruptible,
            "parked": message.parked,
            "undo_until": progress.undo_until if message.interruptible else None,
            "body_stored": message.text_ref is not None or message.html_ref is not None,
            "to": tuple(map(person, message.to)), "recipients": tuple(map(_recipient, _recipients(message))),
            "cancels": tuple(map(CancelResource.model_validate, message.cancels)),
            "bounces": tuple(map(BounceResource.model_validate, message.bounces)),
            "resolution": ResolutionResource.model_validate(message.resolution) if message.resolution else None,
        }  # fmt: skip
        # Not validated again: every field was checked when it came in.
        return trusted(cls, fields)


_PLAIN = (
    "message_id", "conversation_id", "channel_id", "subject", "text", "html", "operator_id", "requested_by",
    "internet_message_id", "resend_of", "undo_seconds", "accepted_at", "expires_at", "hidden",
)  # fmt: skip
_PROGRESS = ("due_at", "next_attempt_at", "attempt", "finished_at", "reason", "signature", "interrupted_by")


def person(one: Person) -> PersonResource:
    """An address with its name."""
    return trusted(PersonResource, {"address": one.address, "name": one.name})


def _recipient(one: Recipient) -> RecipientResource:
    return trusted(RecipientResource, {name: getattr(one, name) for name in RecipientResource.model_fields})


def _recipients(message: Message) -> tuple[Recipient, ...]:
    """Everybody it goes to, before the outbox has said anything about them."""
    return message.progress.recipients or tuple(Recipient(one.address, "open") for one in message.to)


class InterruptResource(Resource):
    """How an interrupt ended; ``outcome`` is null while it is being decided."""

    outcome: str | None
    message_status: str
    cancel_id: str | None
    message: MessageResource

    @classmethod
    def of(cls, answer: Interrupted | Undecided) -> Self:
        """What the reader sees of the answer."""
        cancel_id = answer.cancel_id
        outcome = answer.outcome if isinstance(answer, Interrupted) else None
        status = "interrupted" if outcome else str(answer.message.status)
        message = MessageResource.of(answer.message)
        return cls(outcome=outcome, message_status=status, cancel_id=cancel_id, message=message)
