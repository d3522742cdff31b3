"""What happened to an outbound message: the public contract of ``mail.outbound.v1``."""

from __future__ import annotations

from typing import ClassVar

from contracts.conversation import Correspondent
from contracts.message import SignatureUsed
from contracts.payload import Id, Moment, Open, Part, Payload


class Status(Open):
    """The five statuses of a message; ``queued`` is the clock, the last three are final."""

    QUEUED = "queued"
    COMMITTED = "committed"
    SENT = "sent"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    OTHER = "other"


class RecipientState(Open):
    """What is known of one recipient.

    ``open`` nobody has it and it will be tried; ``accepted`` the next hop answered 2yz; ``refused`` 5yz, or given up;
    ``maybe`` in doubt and tried again (policy resend); ``unknown`` in doubt for ever (parked); ``stopped`` by a cancel.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    MAYBE = "maybe"
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    OTHER = "other"


class FailureReason(Open):
    """Why a message failed; ``outcome_unknown`` is a parked message: it may have been sent."""

    EXPIRED = "expired"
    INVALID = "invalid"
    CHANNEL_REMOVED = "channel_removed"
    REFUSED = "refused"
    OUTCOME_UNKNOWN = "outcome_unknown"
    OTHER = "other"


class InterruptOutcome(Open):
    """The answer to a cancel: it is true for ever."""

    INTERRUPTED = "interrupted"
    ALREADY_INTERRUPTED = "already_interrupted"
    TOO_LATE = "too_late"
    UNKNOWN_MESSAGE = "unknown_message"
    OTHER = "other"


class KnownBy(Open):
    """How it is known that the next hop accepted a message: it said so, or the account's Sent mailbox holds a copy."""

    ANSWER = "answer"
    SENT_COPY = "sent_copy"
    OTHER = "other"


class RecipientReport(Part):
    """One recipient and the server's last reply about it: SMTP code, enhanced code (RFC 3463), text."""

    address: str
    state: RecipientState
    code: int | None = None
    enhanced: str | None = None
    text: str | None = None


class OutboundFact(Payload):
    """What every fact about a message says."""

    aggregate: ClassVar[str] = "message"
    message_id: Id
    conversation_id: Id
    channel_id: Id
    operator_id: Id | None = None

    def key(self) -> str:
        """Facts about one message keep their order."""
        return self.message_id


class MessageQueued(OutboundFact):
    """The outbox holds the message: the clock shows, until it is committed. ``undo_until`` ends a countdown.

    ``sha256`` and ``size`` of the octets that will be submitted, so that the message is known when it comes back.
    """

    internet_message_id: str
    to: tuple[Correspondent, ...]
    subject: str
    signature: SignatureUsed
    accepted_at: Moment
    undo_until: Moment
    due_at: Moment
    expires_at: Moment
    sha256: str | None = None
    size: int | None = None


class MessageCommitted(OutboundFact):
    """A transmission is open: no clock, *sending*; a cancel is held until it settles."""

    attempt: int
    recipients: tuple[str, ...]


class MessageDeferred(OutboundFact):
    """An attempt ended and somebody is still to be tried. ``interruptible``: the clock shows again."""

    attempt: int
    next_attempt_at: Moment
    interruptible: bool
    recipients: tuple[RecipientReport, ...]


class MessageSent(OutboundFact):
    """Final: the next hop accepted the message for at least one recipient.

    ``known_by`` ``sent_copy``: it had failed with ``outcome_unknown``, and a copy of it was found since; ``sent_at`` is
    when it had ended.
    """

    sent_at: Moment
    recipients: tuple[RecipientReport, ...]
    known_by: KnownBy = KnownBy.ANSWER


class MessageFailed(OutboundFact):
    """Final: nobody accepted it. With ``outcome_unknown`` it is parked: a person may resend it or mark it as sent, and
    ``MessageSent`` may follow with a higher version, should its copy be found in the account's Sent mailbox."""

    failed_at: Moment
    reason: FailureReason
    recipients: tuple[RecipientReport, ...]


class MessageInterrupted(OutboundFact):
    """Final: no server has accepted it, and none will be given it."""

    interrupted_at: Moment
    interrupted_by: tuple[str, ...]


class InterruptAnswered(Payload):
    """The one answer to a cancel; no state, readers apply it by ``cancel_id`` and never by version."""

    aggregate: ClassVar[str] = "message"
    message_id: Id
    cancel_id: Id
    outcome: InterruptOutcome
    status: Status | None
    requested_by: str | None = None

    def key(self) -> str:
        """In order with the facts about its message."""
        return self.message_id

    def distinct(self) -> str:
        """The same answer keeps the same id, whatever version it was given at."""
        return f"cancel/{self.cancel_id}"
