"""The outbound message as it stands in the database, and the small values inside it.

```
(unseen)  --cancel--> unseen, with its cancels held (a tombstone) --message--> interrupted
(nothing) --message--> queued, or failed (invalid, expired, channel removed)
queued    --cancel--> interrupted     --commit--> committed     --expired, all refused, channel removed--> failed
committed --settle--> sent | failed | queued again | interrupted (a cancel was held and nobody has it)
failed (outcome unknown) --its Sent copy is found--> sent: the one end that is corrected, by `resolve`
```

Times are the database's clock, aware, UTC, milliseconds. Documents are replaced whole in memory; a store writes only
the fields that differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

SCHEMA: Final = 1
"""The newest document form this code knows; a document with a higher one is left alone."""


class Status(StrEnum):
    """The five statuses, and ``unseen``: a tombstone, cancelled before the message arrived."""

    UNSEEN = "unseen"
    QUEUED = "queued"
    COMMITTED = "committed"
    SENT = "sent"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


TERMINAL: Final = frozenset({Status.SENT, Status.FAILED, Status.INTERRUPTED})


class RecipientState(StrEnum):
    """What is known of one recipient.

    ``open``: nobody has it, it will be tried; ``maybe``: in doubt and tried again; ``accepted`` 2yz; ``refused`` 5yz or
    given up; ``unknown``: in doubt for ever; ``stopped`` by a cancel.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    MAYBE = "maybe"
    UNKNOWN = "unknown"
    STOPPED = "stopped"


TO_TRY: Final = frozenset({RecipientState.OPEN, RecipientState.MAYBE})
MAY_HAVE_IT: Final = frozenset({RecipientState.ACCEPTED, RecipientState.MAYBE, RecipientState.UNKNOWN})


class Reason(StrEnum):
    """Why a message failed."""

    EXPIRED = "expired"
    INVALID = "invalid"
    CHANNEL_REMOVED = "channel_removed"
    REFUSED = "refused"
    OUTCOME_UNKNOWN = "outcome_unknown"


class Policy(StrEnum):
    """What becomes of a recipient whose outcome nobody can know; taken from the channel at intake."""

    PARK = "park"
    RESEND = "resend"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: canonical address, state, and the last reply about it."""

    address: str
    state: RecipientState = RecipientState.OPEN
    code: int | None = None
    enhanced: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Transmission:
    """The open DATA. ``by``: the stamp of one take-up, unique for ever; ``to``: the addresses RCPT accepted;
    ``until``: when it is surely over. The store sets ``until`` by its own clock in the commit's write."""

    by: str
    to: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """A wish to interrupt: its id, who wished it and when."""

    cancel_id: str
    requested_by: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class Raw:
    """The rendered MIME, CRLF line ends: inline up to 64 KiB (``octets``), else in a blob. Gone when slim."""

    sha256: str
    size: int
    octets: bytes | None = None
    blob_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One outbound message, whole. ``_id`` in a store is "tenant/message_id".

    ``attempt`` rises with each commit, each take-up that ended before DATA, each fence and each recovery. ``tries``
    counts attempts that deferred somebody, for the back-off; ``transmissions`` counts commits. ``created_at`` is set by
    the store. ``held_cancels`` are unanswered: of a tombstone, or met while a transmission was open. A tombstone has no
    channel and no recipients. ``resolved_at``: when its Sent copy was found.
    """

    tenant: str
    message_id: str
    status: Status
    version: int = 1
    attempt: int = 0
    tries: int = 0
    transmissions: int = 0
    schema: int = SCHEMA
    channel_id: str = ""
    conversation_id: str = ""
    operator_id: str | None = None
    internet_message_id: str = ""
    policy: Policy = Policy.PARK
    recipients: tuple[Recipient, ...] = ()
    transmission: Transmission | None = None
    held_cancels: tuple[Cancel, ...] = ()
    interrupted_by: tuple[Cancel, ...] = ()
    created_at: datetime | None = None
    accepted_at: datetime | None = None
    undo_until: datetime | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    terminal_at: datetime | None = None
    resolved_at: datetime | None = None
    reason: Reason | None = None
    raw: Raw | None = None
    traceparent: str | None = None
    correlation_id: str | None = None
    owed: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    """The events it owed when it was read; opaque here, kept by the store, never written by a change."""

    @property
    def terminal(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in TERMINAL

    @property
    def to_try(self) -> tuple[Recipient, ...]:
        """The recipients an attempt would go to."""
        return tuple(each for each in self.recipients if each.state in TO_TRY)


_NAMES: Final = tuple(each.name for each in fields(Message))
_VALUES: Final = attrgetter(*_NAMES)
_SET: Final = {name: getattr(Message, name).__set__ for name in _NAMES}
_SETTERS: Final = tuple(_SET.values())


def altered(message: Message, **changes: Any) -> Message:
    """A copy with these fields changed: dataclasses.replace at a fifth of its price (it is called ten times a message).

    Raises KeyError for a field there is not.
    """
    copy = object.__new__(Message)
    for put, value in zip(_SETTERS, _VALUES(message), strict=True):
        put(copy, value)
    for name, value in changes.items():
        _SET[name](copy, value)
    return copy
