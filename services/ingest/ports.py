"""What ingest needs from the world; these docstrings are the contract that fakes and adapters are tested against.

Infrastructure of ours that is gone is raised as ``services.kit.unavailable.Unavailable``; a mail server that is gone is
a value (NotOpen) or LostConnection. Everything else is a value.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from contracts.blob import BlobRef
from contracts.event import AnyEvent, Event
from contracts.tenant import TenantChanged
from services.ingest.domain.account import Account, ChannelKey
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.ledger import Seen, Thread
from services.ingest.domain.parsed import Held, Parsed, Unparsable
from services.ingest.domain.sent_copy import SentCopy
from services.ingest.domain.session import Fetched, Listed, NotOpen, Opened, Quiet, Streamed, Woken
from services.ingest.domain.status import ImapStatus
from services.kit.clock import Clock as Clock
from services.kit.publisher import Publishes as Publishes


class MailSession(Protocol):
    """One logged-in connection with INBOX selected. Used by one task, one call at a time.

    Every call has its own deadline and may raise LostConnection; after that, and after a cancelled call, only ``close``
    may be called. Octets come from literals only, always by PEEK: the session never changes a flag.
    """

    @property
    def opened(self) -> Opened:
        """What SELECT said."""
        ...

    async def list_above(self, uid: int, limit: int) -> Sequence[Listed]:
        """The mails with the lowest UIDs above ``uid``, at most ``limit``, ascending, without their content."""
        ...

    async def fetch_above(self, uid: int, limit: int) -> Sequence[Fetched]:
        """The same with the first HEAD_OCTETS of each; ``limit`` ≤ SLICE_UIDS. Empty only when the server has none
        there: gaps wider than a slice are searched (``UID SEARCH UID n:*``), answers at or below ``uid`` are dropped.

        Forgets every push heard before it was sent; one heard during or after it makes the next ``wait`` return Woken.
        """
        ...

    async def fetch(self, uids: Sequence[int]) -> Sequence[Fetched]:
        """Exactly these (≤ SLICE_UIDS), ascending; one that is gone is left out."""
        ...

    async def fetch_rest(self, uid: int, offset: int, length: int) -> bytes | None:
        """The octets from ``offset`` on, at most ``length``, fewer only at the end (b"": nothing is there any more);
        None where the mail is gone or the server gives no body."""
        ...

    async def listen(self) -> None:
        """Begin to listen: returns when the server answered ``+`` to IDLE, or NOOP where there is no IDLE. Only then
        is a cycle complete."""
        ...

    async def wait(self, seconds: float) -> Woken | Quiet:
        """Listen for at most so long, and stop (DONE, tagged OK): the session takes commands again on return. Woken at
        once where a push came since the last ``fetch_above`` was sent. Without IDLE it sleeps, and asks by NOOP every
        few seconds (never slower than the adapter's poll interval)."""
        ...

    async def glance(self, seconds: float) -> Woken | Quiet:
        """Rest for at most so long, no longer than until a push comes, then ask (NOOP): whether the mailbox has grown
        since the last ``fetch_above`` was sent. A third of the price of listening anew."""
        ...

    async def find_in_sent(self, internet_message_id: str) -> bool | None:
        """Whether the mailbox for sent mail (``\\Sent``, RFC 6154) holds this Message-ID; None where there is no such
        mailbox. INBOX is selected again on return. Not on a session that listens."""
        ...

    async def append_to_sent(self, octets: Streamed, at: datetime) -> bool:
        """Append to the mailbox for sent mail, seen; False where there is none or the server refuses. Raises what the
        pieces raise: then the connection is gone."""
        ...

    async def close(self) -> None:
        """LOGOUT where that is still possible, within 2 s; the connection is gone on return. Never raises."""
        ...


class Mailboxes(Protocol):
    """Opens sessions: egress guard on every connect, the sealed secret opened here and nowhere else, TLS, login,
    SELECT."""

    async def open(self, account: Account) -> MailSession | NotOpen:
        """A session, or what was seen instead. Under deadlines of its own (connect, greeting, TLS, login)."""
        ...


Hold = Callable[[AsyncIterator[bytes]], Awaitable[Held]]
"""Takes octets out of a process's hands: RawStore.hold for one tenant."""


class Parser(Protocol):
    """Reads hostile mails in killable children; concurrent calls share the hand-over."""

    async def parse_all(self, mails: Sequence[bytes]) -> Sequence[Parsed | Unparsable]:
        """What each mail says, in this order; one that kills a child is Unparsable, its neighbours are tried again."""
        ...

    async def parse_held(self, size: int, octets: AsyncIterator[bytes], hold: Hold) -> Parsed | Unparsable:
        """What a large mail says, read in a child of its own; large attachments are held as they come out of it."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """Something to be stored: ``ref`` says everything about it beforehand, its ``blob_id`` is the same on a repeat.
    ``held``: the octets are there already, under another id."""

    ref: BlobRef
    octets: bytes = field(repr=False)
    held: Held | None = None


class RawStore(Protocol):
    """Raw mails, attachments and long bodies in the shared blob store."""

    async def keep(self, tenant: str, things: Sequence[Stored]) -> None:
        """Returns when all are stored (majority): up to 4 MB inline with one insert, GridFS above. What is there
        already under the same id is left alone; what is held becomes what ``ref`` says, unmoved. Raises Gone."""
        ...

    async def hold(self, tenant: str, octets: AsyncIterator[bytes]) -> Held:
        """Store these, a piece at a time, for a day. What the iterator raises leaves nothing that could be read."""
        ...

    def held(self, tenant: str, held: Held) -> AsyncIterator[bytes]:
        """These octets, piece by piece; raises Gone."""
        ...


class Gone(Exception):
    """Octets that were held are no longer there (a day has passed): the mail is to be fetched again."""


class Fenced(Exception):
    """Somebody else has the mailbox now: close the connection and touch nothing more."""


class CursorStore(Protocol):
    """One cursor per channel's INBOX."""

    async def claim(self, key: ChannelKey, owner: str) -> Cursor:
        """Raise the epoch (create the cursor where there is none) and return the cursor: whoever held it has lost
        it."""
        ...

    async def move(self, key: ChannelKey, before: Cursor, after: Cursor) -> bool:
        """Compare-and-set on (epoch, generation, uidvalidity, last_uid); False: somebody else has it, close. A write
        whose answer was lost is read back."""
        ...

    async def holds(self, key: ChannelKey, epoch: int) -> bool:
        """Whether this epoch is the newest, or was when it moved the cursor less than a second ago."""
        ...

    async def drop(self, key: ChannelKey) -> None:
        """The channel was removed."""
        ...


class Ledger(Protocol):
    """What was seen, within one channel."""

    async def seen(self, key: ChannelKey, sha256s: Sequence[str]) -> Mapping[str, Seen]:
        """The entries of these contents, by hash."""
        ...

    async def conversations(self, key: ChannelKey, internet_message_ids: Sequence[str]) -> Mapping[str, str]:
        """The conversations of these Message-IDs, where known."""
        ...

    async def note(self, key: ChannelKey, seen: Sequence[Seen], threads: Sequence[Thread]) -> Mapping[str, Seen]:
        """Write each entry where none stands (the first ever written stays); returns the entries that stand now, for
        those of ``seen`` where it is another's. Returns when they are stored (majority)."""
        ...


@dataclass(frozen=True, slots=True)
class OwnMail:
    """What we know of a message of ours: the hash and length of the bytes that were submitted, and its Message-ID."""

    sha256: str
    size: int
    internet_message_id: str = ""


class OwnMails(Protocol):
    """The messages that the outbox rendered, by id."""

    async def find(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, OwnMail]:
        """Those that are known."""
        ...


class Participants(Protocol):
    """Who takes part in conversations, from the gateway's."""

    async def of(self, tenant: str, conversation_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """The addresses (lower case) of those conversations that are known."""
        ...


class StatusStore(Protocol):
    """The state of each channel's IMAP direction, with the events it owes."""

    async def load(self, tenant: str, channel_id: str) -> ImapStatus | None:
        """The status, read with majority."""
        ...

    async def write(self, before: ImapStatus | None, after: ImapStatus, owed: Sequence[AnyEvent]) -> bool:
        """Compare-and-set on the version (None: create); False: read and decide again."""
        ...

    async def prove(self, keys: Sequence[ChannelKey], at: datetime) -> None:
        """Completed cycles: sets ``proven_at`` and nothing else; may be lost."""
        ...

    async def stale(self, before: datetime, limit: int) -> Sequence[ImapStatus]:
        """Connected ones whose last completed cycle is older."""
        ...

    async def drop(self, tenant: str, channel_id: str) -> None:
        """The channel was removed."""
        ...


class Publisher(Publishes, Protocol):
    """The topics, a slice at a time."""

    async def publish_all(self, events: Sequence[AnyEvent]) -> None:
        """in order; returns when Kafka has acknowledged all. Raises Unavailable when it may not have taken some."""
        ...


class Hands(Protocol):
    """Publishes from memory what a document owes: the kit's Relay."""

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent]) -> None:
        """Returns at once."""
        ...


class Budgets(Protocol):
    """What one replica allows itself: the only thing mailboxes share."""

    def login(self, host: str) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to log in at this host (a rate, and so many at once)."""
        ...

    def connection(self, host: str) -> AbstractAsyncContextManager[None]:
        """Wait for one of the connections this host may be given, and have it; first come, first served."""
        ...

    def turn(self, host: str) -> float | None:
        """How many seconds a connection lasts before the next mailbox has its turn; None: there is one for each."""
        ...

    async def hold(self, octets: int, *, large: bool = False) -> int:
        """Wait until so many octets may be held in memory; first come, first served, so slices go round. Returns how
        many are held. ``large``: a budget of its own for mails that are read in parts, taken beside the slice's."""
        ...

    def release(self, octets: int, *, large: bool = False) -> None:
        """Give back what ``hold`` returned."""
        ...

    def recheck(self, host: str, near: bool) -> float | None:
        """Seconds until a mailbox that has just had mail may look again, None where the host has no turn left."""
        ...


class CopyStore(Protocol):
    """Sent messages that are to be filed, and those in doubt that are looked for."""

    async def put(self, copy: SentCopy) -> None:
        """Keep it in place of one with fewer tries; a repeat of the offer changes nothing that was tried since."""
        ...

    async def due(self, channels: Sequence[ChannelKey], now: datetime, limit: int) -> Sequence[SentCopy]:
        """Those of these channels that are due, the longest first."""
        ...

    async def octets(self, copy: SentCopy) -> Streamed | None:
        """The message, its hash compared already; None where it is no longer to be had."""
        ...

    async def done(self, copy: SentCopy) -> None:
        """Forget it."""
        ...


class Assignment(Protocol):
    """The shards Kafka assigned to this replica: the kit's Shards."""

    @property
    def mine(self) -> frozenset[int]:
        """Our shards."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...


class Ownership(Protocol):
    """Which mailboxes are this replica's, as Kafka assigned them."""

    def mine(self, key: ChannelKey) -> bool:
        """Whether the channel's shard is assigned to us and the heartbeat that says so is fresh."""
        ...

    def fresh(self) -> bool:
        """Whether the group's coordinator has answered a heartbeat within the session."""
        ...


class Tenants(Protocol):
    """The copies of the tenants."""

    async def put(self, changed: Event[TenantChanged]) -> bool:
        """Keep it if it is newer."""
        ...

    async def switched_off(self) -> frozenset[str]:
        """The tenants whose e-mail is switched off."""
        ...


class KeepsOwnMails(Protocol):
    """Where OwnMails are kept."""

    async def put(self, tenant: str, message_id: str, own: OwnMail) -> None:
        """Keep it; a repeat writes the same again."""
        ...
