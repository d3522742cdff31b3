"""What the outbox needs from the world; these docstrings are the contract that fakes and adapters are tested against.

Every method takes one message; grouping concurrent calls is the adapter's. Infrastructure that is gone is raised as
``services.kit.unavailable.Unavailable``, everything else is a value.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from contracts.blob import BlobRef
from contracts.channel import ChannelChanged
from contracts.event import AnyEvent, Event
from contracts.message import MessageComposed
from contracts.tenant import TenantChanged
from services.kit.clock import Clock as Clock
from services.outbox.domain.board import Board
from services.outbox.domain.document import Message
from services.outbox.domain.lane import LaneKey
from services.outbox.domain.lane import Ticket as Ticket
from services.outbox.domain.replies import Answer, NotOpen
from services.outbox.domain.smtp_status import SmtpStatus


class DatabaseClock(Protocol):
    """The database's clock as this process last heard it, carried on by its own monotonic clock.

    For facts ("sent at") and schedules. What safety rests on (due, expired, lapsed) a store decides with ``$$NOW``.
    """

    def now(self) -> datetime:
        """Aware, UTC, whole milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class Birth:
    """A document that is to be created, if none stands there.

    ``undo_seconds``/``grace_seconds``: where not None the store sets, by its clock in the same write,
    ``undo_until = now + undo`` and ``due_at = now + undo + grace``, in the document and in an owed MessageQueued.
    """

    message: Message
    owed: tuple[AnyEvent, ...] = ()
    undo_seconds: int | None = None
    grace_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Inserted:
    """The document was created: as it now stands, and the events it owes, with the store's times."""

    message: Message
    owed: tuple[AnyEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A document was there already and was left alone: this one."""

    message: Message


@dataclass(frozen=True, slots=True)
class Change:
    """One compare-and-set. ``after.version == before.version + 1``; ``owed`` are appended to the owed events.

    It matches where tenant, id, version, status, attempt and ``transmission.by`` (or its absence) are as in ``before``.
    ``lapsed``: besides, ``transmission.until`` must lie before the database's clock (recovery). ``spoken``: ids of
    events that Kafka has acknowledged; where the document owes them still, this write takes them off.
    """

    before: Message
    after: Message
    owed: tuple[AnyEvent, ...] = ()
    lapsed: bool = False
    spoken: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Won:
    """The commit was written; ``message`` is the committed document (``until`` may be the caller's estimate)."""

    message: Message


@dataclass(frozen=True, slots=True)
class Lost:
    """The commit did not match and wrote nothing."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody knows whether the commit was, or still will be, written: only ``fence`` can tell."""


@dataclass(frozen=True, slots=True)
class Fenced:
    """The fence was written: the commit was not applied and never will be."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Neither: somebody else moved the document on; the commit is not ours."""


class MessageStore(Protocol):
    """The outbound messages. A document of a newer schema is returned by ``load`` and never written or listed."""

    async def load(self, tenant: str, message_id: str) -> Message | None:
        """The document, whole, read with majority from the primary, with the events it owes in ``owed``."""
        ...

    async def insert(self, birth: Birth) -> Inserted | Standing:
        """Create the document unless one stands there (an upsert; a tombstone counts as standing).

        A repeat after an unanswered insert of the same birth is Standing: the owed events are the relay's then.
        """
        ...

    async def write(self, change: Change) -> bool:
        """Write the change where it matches; False: it did not, read and decide again.

        Raises Unavailable when the answer was lost: it may have been applied, or may be later.
        """
        ...

    async def commit(self, change: Change, hold_seconds: float) -> Won | Lost | Unanswered:
        """The commit (DESIGN §3.3): besides ``change``'s own filter it requires status queued or committed, no
        transmission, and ``due_at <= $$NOW < expires_at``; it sets ``transmission.until = $$NOW + hold_seconds``.

        Never raises for a lost answer. One that is known not to have been sent may be Lost.
        """
        ...

    async def fence(self, before: Message, by: str) -> Fenced | Won | Gone:
        """Settle an unanswered commit by a write: raise ``attempt`` (and ``version``) where attempt is ``before``'s and
        there is no transmission. No match: Won(document) where ``transmission.by`` is ``by``, else Gone.

        Raises Unavailable; may be repeated until it answers.
        """
        ...

    async def due(self, tenant: str, channel_id: str, before: datetime, limit: int) -> Sequence[Ticket]:
        """Messages of a lane with ``due_at`` before that moment, not expired, without a transmission, with somebody to
        try; by (due_at, message_id)."""
        ...

    async def due_lanes(self, before: datetime, limit: int) -> Sequence[tuple[str, str, datetime]]:
        """(tenant, channel_id, earliest due_at) of every lane with such a message: the sweep over the due index."""
        ...

    async def lapsed(self, limit: int) -> Sequence[Message]:
        """Committed messages whose ``transmission.until`` lies before the database's clock."""
        ...

    async def expired(self, limit: int) -> Sequence[Message]:
        """Queued or committed messages without a transmission whose ``expires_at`` the database's clock has reached."""
        ...

    async def of_channel(self, tenant: str, channel_id: str, limit: int) -> Sequence[Message]:
        """Queued or committed messages of a channel that have no transmission."""
        ...

    async def orphans(self, before: datetime, limit: int) -> Sequence[Message]:
        """Tombstones created before that moment that are not answered yet (``terminal_at`` None)."""
        ...

    async def slim(self, before: datetime, limit: int) -> int:
        """Take ``raw`` out of messages terminal before that moment; leaves ``version`` alone. How many."""
        ...

    async def purge(self, before: datetime, limit: int) -> int:
        """Delete documents with ``terminal_at`` before that moment that owe nothing. How many."""
        ...


@dataclass(frozen=True, slots=True)
class Lane:
    """A channel's outbound work. ``owner``: the replica that holds it until ``until``; ``failures``: pauses in a
    row."""

    tenant: str
    channel_id: str
    owner: str | None = None
    until: datetime | None = None
    next_due_at: datetime | None = None
    paused_until: datetime | None = None
    failures: int = 0


class Lanes(Protocol):
    """Which replica works on which channel. An optimisation: safety rests on the commit alone."""

    async def wake(self, tenant: str, channel_id: str, due_at: datetime) -> None:
        """There is work from then on (``$min`` of ``next_due_at``; creates the lane)."""
        ...

    async def claim(self, owner: str, before: datetime, seconds: float, limit: int) -> Sequence[Lane]:
        """Take, for that long, up to ``limit`` lanes that are due before that moment, not paused, and free or lapsed
        by the database's clock; round-robin by tenant. Only newly taken ones are returned."""
        ...

    async def claim_one(self, owner: str, tenant: str, channel_id: str, seconds: float) -> Lane | None:
        """Take this lane if it is free or lapsed, due or not, paused or not (creates it); ours already: it is renewed.
        None: another replica holds it."""
        ...

    async def renew(self, owner: str, seconds: float) -> Sequence[Lane]:
        """Prolong every lane that is still this owner's; returns them."""
        ...

    async def release(self, owner: str, tenant: str, channel_id: str, next_due_at: datetime | None) -> None:
        """Let go, if it is still ours, and say when it is next due (None: ``wake`` will)."""
        ...

    async def pause(self, tenant: str, channel_id: str, until: datetime) -> Lane:
        """Nothing is taken from this lane until then; raises ``failures``."""
        ...

    async def resume(self, tenant: str, channel_id: str) -> None:
        """End a pause and forget the failures; a no-op where there was none."""
        ...

    async def drop(self, tenant: str, channel_id: str) -> None:
        """The channel is removed."""
        ...

    def changes(self) -> AsyncIterator[Lane]:
        """Lanes as they change, from now on (a change stream); a hint only, it may end or miss."""
        ...


@dataclass(frozen=True, slots=True)
class EnvelopeAnswers:
    """The answers to MAIL FROM and to each RCPT TO, in order. Without a 2yz to MAIL, ``rcpt`` may be empty; after a
    NoReply the rest is NoReply too."""

    mail: Answer
    rcpt: tuple[Answer, ...] = ()


class Session(Protocol):
    """One logged-in SMTP connection, in step between two messages. After a NoReply it is closed.

    Past its own time limit a command answers NoReply; no method raises for what a server does.
    """

    async def envelope(self, sender: str, recipients: Sequence[str], size: int) -> EnvelopeAnswers:
        """MAIL FROM (SIZE, SMTPUTF8 where offered and needed) and the RCPT TOs, pipelined where offered. An address
        that needs SMTPUTF8 where it is not offered: Reply(553, "5.6.7"); above the offered SIZE: Reply(552, "5.3.4").
        """
        ...

    async def data(self, deadline: float) -> Answer:
        """DATA; 354 means go. ``deadline``: of the monotonic clock; past it nothing is written, the socket is closed
        and the answer is NoReply(dot_sent=False, "deadline")."""
        ...

    async def content(self, octets: bytes, deadline: float) -> Answer:
        """The dot-stuffed message and the final dot. The deadline is looked at before each write; NoReply.dot_sent says
        whether the final dot may have left."""
        ...

    async def reset(self) -> bool:
        """RSET; False: the connection is closed."""
        ...

    async def release(self) -> None:
        """Give it back to the channel's pool (closed ones just go)."""
        ...

    async def close(self) -> None:
        """QUIT if in step, and close; never raises."""
        ...


class Submission(Protocol):
    """Opens sessions to a channel's SMTP server; sessions are pooled per channel and its version."""

    async def session(self, channel: ChannelChanged, tenant: str, *, fresh: bool = False) -> Session | NotOpen:
        """A session that is ready for MAIL: from the pool, or a new connection to a checked address, with TLS, login.
        ``fresh``: never from the pool."""
        ...

    async def forget(self, tenant: str, channel_id: str) -> None:
        """Close what is pooled for this channel."""
        ...


class Channels(Protocol):
    """The outbox's copies of the channels (kit's Copies[ChannelChanged])."""

    async def put(self, event: Event[ChannelChanged]) -> bool:
        """Keep it if it is newer; False: older or the same."""
        ...

    async def get(self, tenant: str, subject: str) -> ChannelChanged | None:
        """The newest copy, at most a second old; None: never heard of it."""
        ...

    async def at_least(self, tenant: str, subject: str, version: int) -> ChannelChanged:
        """The copy at this version or newer; waits a little, then raises Unavailable."""
        ...

    async def drop(self, tenant: str, subject: str) -> None:
        """Forget it."""
        ...


class Tenants(Protocol):
    """The outbox's copies of the tenants (kit's Copies[TenantChanged])."""

    async def put(self, event: Event[TenantChanged]) -> bool:
        """Keep it if it is newer; False: older or the same."""
        ...

    async def get(self, tenant: str, subject: str) -> TenantChanged | None:
        """The newest copy (``subject`` is "tenant"), at most a second old; None: never heard of it."""
        ...


@dataclass(frozen=True, slots=True)
class Rendered:
    """The MIME of a message with CRLF line ends, its SHA-256 in hex; ``lost``: so many images were gone."""

    octets: bytes
    sha256: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Unrenderable:
    """The message can never be rendered (too large, a blob that is not what it should be); ``code`` for the log."""

    code: str


class Composer(Protocol):
    """Renders the MIME, once, at intake."""

    async def render(self, tenant: str, message: MessageComposed) -> Rendered | Unrenderable:
        """Fetches bodies, images and attachments that travel by reference.

        An image that is gone costs the message no more than that image. Raises Unavailable when blobs can't be read.
        """
        ...


class RawBlobs(Protocol):
    """Rendered MIME above 64 KiB."""

    async def keep(self, tenant: str, octets: bytes, days: int) -> BlobRef:
        """Store it; it lives that long."""
        ...

    async def read(self, tenant: str, blob_id: str) -> bytes:
        """The octets; raises Unavailable when the blob is not there."""
        ...


class Hands(Protocol):
    """The relay's door for events that were just written (kit's Relay)."""

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Publish these soon, in order, and take them off the document ``doc_id`` ("tenant/message_id").

        They are all it owed when it was read (``Message.owed``), then what was just written. ``taken_off``: what
        ``spoken`` had named and the write has taken off."""
        ...

    def spoken(self, doc_id: str) -> Collection[str]:
        """Ids of this document's events that are acknowledged and not taken off yet: the next write may do that."""
        ...


class Desk(Protocol):
    """The desk of one replica: its board of lanes, what it has begun, and the bell that says there is something new.

    ``owner``: this process, a new id with each start. ``claiming``: lanes being asked for; ``elsewhere``: lanes that
    another replica held, until when (monotonic) we believe it.
    """

    owner: str
    board: Board
    claiming: set[LaneKey]
    elsewhere: dict[LaneKey, float]

    def ring(self) -> None:
        """Something is new on the board."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until the bell rings, or that long."""
        ...

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Let it run beside everything else."""
        ...

    def close(self) -> None:
        """Take up nothing any more."""
        ...

    async def finish(self) -> None:
        """Wait for everything that has begun."""
        ...


class Offers(Protocol):
    """Where a message goes that was just taken in."""

    async def handle(self, message: Message) -> None:
        """See that it is sent when due; an optimisation that never raises: the sweep finds what is lost here."""
        ...


class StatusStore(Protocol):
    """The state of each channel's SMTP direction, with its own owed events."""

    async def load(self, tenant: str, channel_id: str) -> SmtpStatus | None:
        """As it stands."""
        ...

    async def write(self, before: SmtpStatus | None, after: SmtpStatus, owed: Sequence[AnyEvent]) -> bool:
        """Compare-and-set on ``before.version``, or create where before is None; False: somebody was faster."""
        ...

    async def stale(self, before: datetime, limit: int) -> Sequence[SmtpStatus]:
        """Those with ``proven_at`` before that moment (or never) and state neither disabled nor auth_failed, or with
        ``next_retry_at`` reached by the database's clock: to be proven again."""
        ...

    async def drop(self, tenant: str, channel_id: str) -> None:
        """The channel is removed."""
        ...
