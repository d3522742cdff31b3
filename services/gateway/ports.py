"""What the gateway needs from the world. Every read and write on behalf of a caller names the tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from contracts.channel import ChannelChanged, SealedSecret
from contracts.channel_status import ChannelStatusChanged
from contracts.event import AnyEvent, Event
from contracts.message import SendRequested
from contracts.operator import OperatorChanged
from contracts.outbound import InterruptAnswered
from contracts.signature import SignatureChanged, SignaturePolicyChanged, SignatureTemplate
from contracts.tenant import TenantChanged
from services.gateway.domain.bounce import Bounce
from services.gateway.domain.change import Ended, Signal
from services.gateway.domain.conversation import Conversation, View, Wanted
from services.gateway.domain.draft import Draft
from services.gateway.domain.files import File
from services.gateway.domain.inbound import Inbound, Joining, Quarantined
from services.gateway.domain.message import Asked, Cancel, Message, Progress, Resolution, Stored
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.place import Place
from services.gateway.domain.refusal import Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Key:
    """An Idempotency-Key and the hash of the body it came with."""

    value: str
    body_hash: str


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What stands under an idempotency key; ``fresh`` where this call wrote it, ``same_body`` where a repeat agrees."""

    value: T
    fresh: bool
    same_body: bool


class Messages(Protocol):
    """The messages. Whatever is owed by a write is handed to the relay by the adapter, right after the write."""

    async def accept(self, message: Message, key: Key, event: Event[SendRequested]) -> Kept[Message]:
        """Inserts the message and the owed event in one write, unless the tenant used the key before."""
        ...

    async def find_key(self, tenant: str, key: Key) -> Kept[Message] | None:
        """What was accepted under this key."""
        ...

    async def get(self, tenant: str, message_id: str) -> Message | None:
        """One message."""
        ...

    async def some(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """Those of these that there are, by id; without their bodies."""
        ...

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Message]:
        """Those not hidden, the newest first; the position is (accepted_at, message_id)."""
        ...

    async def clocked(self, tenant: str, limit: int) -> Sequence[Message]:
        """Those that show the clock, without their bodies; so many at most, by index."""
        ...

    async def ask(self, message: Message, cancel: Cancel, event: AnyEvent) -> bool:
        """Adds a cancel and its owed event where nobody changed the message since it was read."""
        ...

    async def join(self, tenant: str, message_id: str, cancel_id: str, asked: Asked) -> None:
        """Notes one more who asked."""
        ...

    async def resolve(self, message: Message, resolution: Resolution) -> bool:
        """Notes what a person decided about a parked message, where nobody changed it since it was read."""
        ...

    async def hide(self, tenant: str, message_id: str) -> Message | None:
        """Hides it from its conversation; this recalls nothing."""
        ...

    async def advance(self, tenant: str, message_id: str, progress: Progress) -> None:
        """Keeps what the outbox says where its version is higher than what is kept; grouped."""
        ...

    async def answer(self, tenant: str, answered: InterruptAnswered, at: datetime) -> None:
        """Keeps the answer to a cancel, by cancel id; a cancel that came from elsewhere is added."""
        ...

    async def bounced(self, tenant: str, message_id: str, bounce: Bounce) -> None:
        """Adds a delivery report, once; a message that is none of ours is left alone."""
        ...

    async def overdue(self, before: datetime, limit: int) -> Sequence[Message]:
        """Those of all tenants still *accepted* although they expired before that moment."""
        ...

    async def owe_again(self, message: Message, event: Event[SendRequested], at: datetime) -> None:
        """Owes the event once more, and not again before ``at`` + the sweep's pause."""
        ...


class Backlog(Protocol):
    """How much a tenant has on the way."""

    async def full(self, tenant: str) -> bool:
        """Whether the tenant has as many accepted messages that are not terminal as the platform allows."""
        ...


class Conversations(Protocol):
    """The conversations."""

    async def start(self, conversation: Conversation, key: Key, event: AnyEvent) -> Kept[Conversation]:
        """Inserts it with its owed event, unless it stands already."""
        ...

    async def get(self, tenant: str, conversation_id: str) -> Conversation | None:
        """One conversation; grouped."""
        ...

    async def list(self, tenant: str, wanted: Wanted, cut: Cut) -> Page[Conversation]:
        """Those wanted, unread ones first, then by the newest message; the position is (1 if unread, last_at, id)."""
        ...

    async def extend(self, tenant: str, conversation_id: str, message: Message) -> None:
        """Adds a message's id to the thread, its author, its subject where there is none yet, and moves ``last``; who
        writes has seen to the trouble. Grouped."""
        ...

    async def retract(self, tenant: str, conversation_id: str, internet_message_id: str) -> None:
        """Takes a Message-ID out of the thread that no client has ever got."""
        ...

    async def join(self, tenant: str, conversation_id: str, joining: Joining) -> None:
        """Does what a mail does to its conversation, once for each mail (the last 100 are remembered); grouped."""
        ...

    async def read(self, tenant: str, conversation_id: str, up_to: tuple[datetime, str] | None) -> Conversation | None:
        """Takes what arrived up to that place (all, where None) as read; the conversation afterwards."""
        ...

    async def ask_attention(self, tenant: str, conversation_id: str, message_id: str) -> None:
        """Notes that this message of ours wants a person, once for each message (the last 100 are remembered)."""
        ...

    async def attended(self, tenant: str, conversation_id: str, message_id: str | None) -> Conversation | None:
        """A person has seen to this message, or to all (None); the conversation afterwards."""
        ...

    async def count(self, tenant: str, view: View, most: int) -> int:
        """How many there are in the view unread or attention, ``most`` for more; by index."""
        ...

    async def hide(self, conversation: Conversation, event: AnyEvent) -> bool:
        """Hides it, or shows it again, as the event says, where nobody changed it since it was read; the event is owed
        in the same write."""
        ...

    async def owe_again(self, tenant: str, conversation_id: str, event: AnyEvent) -> None:
        """Owes the current state once more."""
        ...


class Arrivals(Protocol):
    """What arrived on the channels' mailboxes."""

    async def knows(self, tenant: str, message_id: str) -> bool:
        """Whether this mail was kept already; grouped."""
        ...

    async def keep(self, mail: Inbound) -> None:
        """Keeps a mail; one that stands already stays as it is. Grouped."""
        ...

    async def get(self, tenant: str, message_id: str) -> Inbound | None:
        """One mail."""
        ...

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Inbound]:
        """Those not hidden, the newest first; the position is (at, message_id)."""
        ...

    async def hide(self, tenant: str, message_id: str) -> Inbound | None:
        """Hides it from its conversation."""
        ...

    async def set_aside(self, mail: Quarantined) -> None:
        """Keeps a mail that could not be read; one that stands already stays as it is."""
        ...

    async def aside(self, tenant: str, channel_id: str | None, cut: Cut) -> Page[Quarantined]:
        """A channel's, or all, but those hidden, the newest first; the position is (received_at, message_id)."""
        ...

    async def hide_aside(self, tenant: str, message_id: str) -> Quarantined | None:
        """Hides one from the lists."""
        ...

    async def count_aside(self, tenant: str, most: int) -> int:
        """How many there are that nobody has hidden, ``most`` for more; by index."""
        ...


class Files(Protocol):
    """Attachments, raw mails, uploads, images of signatures: what a document of the tenant refers to, nothing else."""

    async def open(self, tenant: str, blob_id: str) -> tuple[File, AsyncIterator[bytes]] | None:
        """What it is, and its octets; None where no document of this tenant refers to it, or where it is gone."""
        ...

    async def find(self, tenant: str, blob_id: str) -> File | None:
        """What it is; None where no document of this tenant refers to it."""
        ...

    async def keep(self, tenant: str, name: str, media_type: str, octets: AsyncIterator[bytes]) -> File:
        """Stores an upload for a day, or longer once something refers to it; raises what the octets raise."""
        ...


class Drafts(Protocol):
    """What people are writing; nobody else ever reads it."""

    async def get(self, tenant: str, sub: str, name: str) -> Draft | None:
        """This person's draft of that name."""
        ...

    async def put(self, tenant: str, sub: str, draft: Draft, until: datetime) -> None:
        """Keeps it in the place of an older one, until then."""
        ...

    async def drop(self, tenant: str, sub: str, name: str) -> None:
        """Forgets it."""
        ...


class Follower(Protocol):
    """One reader of a tenant's changes."""

    async def next(self, seconds: float) -> Sequence[Signal]:
        """What happened since, in order, waiting at most so long; a Beat where nothing did.

        A reader who is too slow gets Reset and Ended; the last signal of all is Ended.
        """
        ...

    def close(self) -> None:
        """It reads no more."""
        ...


class Changes(Protocol):
    """The changes of all tenants, from one change stream."""

    def follow(self, tenant: str, after: str | None) -> Follower | Ended:
        """From that position on, with a Reset first where it is unknown or too old; Ended where there are too many."""
        ...


class Operators(Protocol):
    """The operators, owned by the gateway; the state is what ``OperatorChanged`` says."""

    async def get(self, tenant: str, operator_id: str) -> OperatorChanged | None:
        """One operator, at most a second old."""
        ...

    async def list(self, tenant: str, cut: Cut) -> Page[OperatorChanged]:
        """In order of id; the position is (operator_id,)."""
        ...

    async def put(self, event: Event[OperatorChanged]) -> bool:
        """Writes version n of an operator and owes the event, where version n - 1 stands (1: where none does)."""
        ...

    async def owe_again(self, event: Event[OperatorChanged]) -> None:
        """Owes the current state once more."""
        ...


class Tenants(Protocol):
    """The gateway's view of the tenants."""

    async def get(self, tenant: str) -> TenantChanged | None:
        """One tenant, at most a second old."""
        ...

    async def at_least(self, tenant: str, version: int) -> TenantChanged:
        """The tenant at this version or newer."""
        ...

    async def put(self, event: Event[TenantChanged]) -> bool:
        """Keeps the newer state."""
        ...


class Channels(Protocol):
    """The gateway's view of the channels; a removed one is kept as removed until its null record comes."""

    async def get(self, tenant: str, channel_id: str) -> ChannelChanged | None:
        """One channel, at most a second old."""
        ...

    async def at_least(self, tenant: str, channel_id: str, version: int) -> ChannelChanged:
        """The channel at this version or newer."""
        ...

    async def list(self, tenant: str, cut: Cut) -> Page[ChannelChanged]:
        """Those not removed, in order of creation; the position is (channel_id,)."""
        ...

    async def put(self, event: Event[ChannelChanged]) -> bool:
        """Keeps the newer state."""
        ...

    async def drop(self, tenant: str, channel_id: str) -> None:
        """Forgets it."""
        ...


class Statuses(Protocol):
    """The gateway's view of the connections."""

    async def of(self, tenant: str, channel_ids: Sequence[str]) -> Mapping[str, Sequence[ChannelStatusChanged]]:
        """What is known of both directions of these channels."""
        ...

    async def put(self, event: Event[ChannelStatusChanged]) -> bool:
        """Keeps the newer state."""
        ...

    async def drop(self, tenant: str, subject: str) -> None:
        """Forgets one direction."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """A channel with what is known of its two directions."""

    channel: ChannelChanged
    statuses: Sequence[ChannelStatusChanged]


@dataclass(frozen=True, slots=True)
class Signed:
    """Everything a channel has of signatures."""

    policy: SignaturePolicyChanged | None
    default: SignatureChanged | None
    operators: tuple[SignatureChanged, ...]


class Signatures(Protocol):
    """The gateway's view of the signatures."""

    async def of(self, tenant: str, channel_id: str) -> Signed:
        """All signatures and the switches of one channel."""
        ...

    async def put(self, event: Event[Any]) -> bool:
        """Keeps the newer state."""
        ...

    async def drop(self, tenant: str, subject: str) -> None:
        """Forgets one."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """A settings change on its way: who asked for what, and how it ended.

    ``target`` is the tenant it is for; ``what`` the resource's path; ``granted`` the version that grants it.
    """

    request_id: str
    tenant: str
    target: str
    what: str
    at: datetime
    granted: int | None = None
    refused: Refused | None = None

    @property
    def decided(self) -> bool:
        """Whether the owner has answered."""
        return self.granted is not None or self.refused is not None


class Wishes(Protocol):
    """The settings changes that were asked for; kept for seven days."""

    async def ask(self, wish: Wish, event: AnyEvent) -> None:
        """Inserts the wish and the event it owes in one write."""
        ...

    async def get(self, tenant: str, request_id: str) -> Wish | None:
        """One wish of a caller's tenant."""
        ...

    async def grant(self, target: str, request_id: str, version: int) -> None:
        """Notes that the owner did it; unknown requests are none of ours."""
        ...

    async def refuse(self, target: str, request_id: str, refused: Refused) -> None:
        """Notes that the owner refused."""
        ...


class Waits(Protocol):
    """Waiting for an answer that this replica or another one will write."""

    async def until(self, key: str, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """What ``look`` finds as soon as it finds something; None after so many seconds."""
        ...

    def wake(self, key: str) -> None:
        """Somebody wrote an answer under this key: whoever waits for it looks again at once."""
        ...


class Bodies(Protocol):
    """Where bodies go that are too large for an event."""

    async def put(self, tenant: str, body: str, media_type: str) -> Stored:
        """Stored before it returns, for as long as its message lives."""
        ...

    async def get(self, tenant: str, stored: Stored) -> str | None:
        """The body again; None where it is gone."""
        ...


class Hosts(Protocol):
    """The egress guard and the ports a direction may use."""

    async def objection(self, direction: str, place: Place) -> Refused | None:
        """Why we would not connect there, or None."""
        ...


class Seals(Protocol):
    """Closes credentials so that only the services that log in can read them."""

    def seal(
        self, secret: Mapping[str, str], *, tenant: str, channel_id: str, direction: str, place: Place, version: int
    ) -> SealedSecret:
        """The sealed secret for this place; ``version`` rises with each new secret of a direction."""
        ...


class Stamps(Protocol):
    """Mints Message-IDs that prove the conversation a reply belongs to."""

    def mint(self, tenant: str, channel_id: str, message_id: str, conversation_id: str, domain: str) -> str:
        """One Message-ID with its token."""
        ...


@dataclass(frozen=True, slots=True)
class Preview:
    """A signature as a message would carry it; ``images``: the blobs its HTML shows."""

    html: str
    text: str
    images: tuple[str, ...] = ()


class Previews(Protocol):
    """Renders a signature with the code that composes messages."""

    async def render(self, template: SignatureTemplate, variables: Mapping[str, str]) -> Preview | Refused:
        """The signature, or what is wrong with the template. Variables: ``operator_name``, ``channel_address``, …"""
        ...


class Now(Protocol):
    """The wall clock."""

    def now(self) -> datetime:
        """Aware, in UTC, in whole milliseconds: what is answered is what will be stored."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, for the composition root and for tests."""

    messages: Messages
    conversations: Conversations
    arrivals: Arrivals
    files: Files
    drafts: Drafts
    changes: Changes
    operators: Operators
    wishes: Wishes
    backlog: Backlog
    tenants: Tenants
    channels: Channels
    statuses: Statuses
    signatures: Signatures
    bodies: Bodies
    hosts: Hosts
    seals: Seals
    stamps: Stamps
    previews: Previews
    waits: Waits
    clock: Now
