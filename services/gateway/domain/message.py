"""The message as people see it: its status, its clock, and what may still be done with it.

    accepted --MessageQueued--> queued <--> committed --> sent | failed      (the outbox decides, the gateway shows)
        \\________ cancel ________/ \\--> interrupted

The clock shows in ``accepted`` (no number yet) and in ``queued``: shown means interruptible, always and exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from services.gateway.domain.bounce import Bounce
from services.gateway.domain.who import Principal


class Status(StrEnum):
    """Accepted by the gateway, then the outbox's five."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    COMMITTED = "committed"
    SENT = "sent"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    OTHER = "other"


TERMINAL: Final = frozenset({Status.SENT, Status.FAILED, Status.INTERRUPTED})
CLOCK: Final = frozenset({Status.ACCEPTED, Status.QUEUED})
OUTCOME_UNKNOWN: Final = "outcome_unknown"
UNKNOWN: Final = "unknown"
MISSED: Final = frozenset({"refused", "stopped", UNKNOWN})
"""States of recipients who did not get it, or of whom nobody can know."""
STOPPED_IT: Final = frozenset({"interrupted", "already_interrupted"})


@dataclass(frozen=True, slots=True)
class Person:
    """An address with the name that stands before it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A body that is kept as a blob; ``size`` in octets."""

    blob_id: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """What is known of one recipient, with the server's last reply."""

    address: str
    state: str
    code: int | None = None
    enhanced: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked to interrupt, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """One wish to interrupt and its answer; ``asked`` holds everyone who joined it, the first one first."""

    cancel_id: str
    asked: tuple[Asked, ...]
    outcome: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person decided about a parked message: ``resent`` (as ``message_id``) or ``marked_sent``."""

    kind: str
    by: str
    at: datetime
    message_id: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the outbox last said; None where it said nothing about it."""

    status: Status = Status.ACCEPTED
    outbox_version: int = 0
    undo_until: datetime | None = None
    due_at: datetime | None = None
    next_attempt_at: datetime | None = None
    attempt: int | None = None
    finished_at: datetime | None = None
    reason: str | None = None
    recipients: tuple[Recipient, ...] = ()
    signature: dict[str, Any] | None = None
    interrupted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """An accepted message: what was asked for, and how far it got. ``version`` is the gateway's own."""

    tenant: str
    message_id: str
    conversation_id: str
    channel_id: str
    channel_version: int
    operator_id: str | None
    operator_version: int | None
    requested_by: str
    internet_message_id: str
    in_reply_to: str | None
    references: tuple[str, ...]
    to: tuple[Person, ...]
    subject: str
    text: str | None
    html: str | None
    text_ref: Stored | None
    html_ref: Stored | None
    undo_seconds: int
    accepted_at: datetime
    expires_at: datetime
    resend_of: str | None = None
    hidden: bool = False
    version: int = 1
    progress: Progress = Progress()
    cancels: tuple[Cancel, ...] = ()
    resolution: Resolution | None = None
    bounces: tuple[Bounce, ...] = ()

    @property
    def status(self) -> Status:
        """How far it got."""
        return self.progress.status

    @property
    def interruptible(self) -> bool:
        """Whether the clock shows."""
        return self.status in CLOCK

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """Recipients of whom nobody can know whether they got it."""
        return tuple(one.address for one in self.progress.recipients if one.state == UNKNOWN)

    @property
    def parked(self) -> bool:
        """Whether it ended with an outcome nobody can know and nobody has resolved it yet."""
        return self.resolution is None and self.was_parked

    @property
    def was_parked(self) -> bool:
        """Whether it ended with an outcome nobody can know."""
        failed = self.status is Status.FAILED and self.progress.reason == OUTCOME_UNKNOWN
        return failed or (self.status is Status.SENT and bool(self.in_doubt))

    @property
    def undecided(self) -> Cancel | None:
        """The cancel that has no answer yet."""
        return next((one for one in self.cancels if one.outcome is None), None)

    def cancel(self, cancel_id: str) -> Cancel | None:
        """One of its cancels."""
        return next((one for one in self.cancels if one.cancel_id == cancel_id), None)


def wants_attention(progress: Progress) -> bool:
    """Whether a person has to look: it was not sent, somebody did not get it, or nobody can know."""
    missed = any(one.state in MISSED for one in progress.recipients)
    return progress.status is Status.FAILED or (progress.status is Status.SENT and missed)


def may_interrupt(who: Principal, message: Message) -> bool:
    """The author, or who may interrupt anybody's."""
    if who.may("messages:interrupt:any"):
        return True
    wrote = who.sub == message.requested_by or (who.operator is not None and who.operator == message.operator_id)
    return wrote and who.may("messages:interrupt")
