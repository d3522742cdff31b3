"""What signature needs from the world; the docstrings are the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from contracts.blob import BlobRef
from contracts.event import AnyEvent, Event
from contracts.payload import Payload
from contracts.signature import SignatureTemplate
from contracts.topics import Topic
from services.kit.rendering import Rendered, RenderFailed, Variables
from services.signature.domain.signature import ChannelSignatures, Image, Signature, Switches

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class ImagesDue:
    """A signature whose images must be kept; ``subject`` is its topic key."""

    tenant: str
    subject: str
    version: int
    blob_ids: tuple[str, ...]


class Signatures(Protocol):
    """All signatures and switches."""

    async def of(self, tenant: str, channel_id: str) -> ChannelSignatures:
        """Everything of one channel, for composing: at most half a second old."""
        ...

    async def read(self, tenant: str, channel_id: str, operator_id: str | None) -> Signature | None:
        """One signature as it stands now; the default one where ``operator_id`` is None."""
        ...

    async def switches(self, tenant: str, channel_id: str) -> Switches:
        """The two switches as they stand now; version 0 where nothing is stored."""
        ...

    async def write(self, tenant: str, channel_id: str, signature: Signature, owed: AnyEvent) -> bool:
        """Stores the signature and what it owes if its version follows the stored one; False on a miss."""
        ...

    async def write_switches(self, tenant: str, channel_id: str, switches: Switches, owed: AnyEvent) -> bool:
        """Stores the switches and what they owe if their version follows the stored one; False on a miss."""
        ...

    async def subjects(self, tenant: str, channel_id: str) -> Sequence[str]:
        """The topic keys of everything stored for a channel."""
        ...

    async def remove(self, tenant: str, channel_id: str) -> None:
        """Deletes everything stored for a channel."""
        ...

    async def with_images_due(self, now: datetime, limit: int) -> Sequence[ImagesDue]:
        """Signatures of any tenant whose images must be kept again by now."""
        ...

    async def images_kept(self, due: ImagesDue, again_at: datetime) -> None:
        """Notes when they must be kept again; nothing where the signature has changed meanwhile."""
        ...


class Images(Protocol):
    """Uploaded images, by reference."""

    async def find(self, tenant: str, blob_id: str) -> Image | None:
        """A PNG, JPEG, GIF or WebP of this tenant of at most ``limits.SIGNATURE_IMAGE`` octets, by what it begins with.

        None for anything else, and for a blob of another tenant.
        """
        ...

    async def keep(self, tenant: str, blob_ids: Sequence[str]) -> bool:
        """They live for another ``limits.HORIZON`` seconds; False where one is gone (the others are kept)."""
        ...


class Rejections(Protocol):
    """The wishes that were refused, for 7 days, each with its answer."""

    async def read(self, tenant: str, request_id: str) -> AnyEvent | None:
        """The answer this wish was given, or None."""
        ...

    async def write(self, tenant: str, request_id: str, answer: AnyEvent) -> None:
        """Stores the answer and owes it; an answer that is there already stays."""
        ...


class Copy(Protocol[P]):
    """Our copy of somebody else's state, one per topic key."""

    async def put(self, event: Event[P]) -> bool:
        """Keeps a newer state; False for an older one."""
        ...

    async def get(self, tenant: str, subject: str) -> P | None:
        """The copy, at most a second old."""
        ...

    async def at_least(self, tenant: str, subject: str, version: int) -> P:
        """The copy at this version or newer; raises Unavailable when it does not come."""
        ...

    async def drop(self, tenant: str, subject: str) -> None:
        """Forgets the copy."""
        ...


class Renders(Protocol):
    """Templates and bodies, through killable children."""

    async def render(self, template: SignatureTemplate, variables: Variables) -> Rendered | RenderFailed:
        """The signature for these values; never raises for what the template is."""
        ...

    async def clean(self, body: str) -> Rendered | RenderFailed:
        """A message's HTML body, sanitised, and its text; never raises for what the body is."""
        ...


class Bodies(Protocol):
    """Large bodies, by reference."""

    async def fetch(self, tenant: str, ref: BlobRef) -> str | None:
        """The text of a blob; None when it is gone or is not what the reference says."""
        ...

    async def store(self, tenant: str, body: str, media_type: str) -> BlobRef:
        """A new blob with this text, written before it is named."""
        ...


class Publishes(Protocol):
    """Kafka."""

    async def publish(self, event: AnyEvent) -> None:
        """Returns when Kafka has acknowledged the event; raises Unavailable when it may not have taken it."""
        ...

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """Writes the null record of a key."""
        ...


class Clock(Protocol):
    """The time that is shown to people; no decision rests on it."""

    def now(self) -> datetime:
        """Now, aware, UTC."""
        ...
