"""What config needs from the world; the docstrings are the contract, one suite holds every adapter to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from contracts.event import AnyEvent
from contracts.topics import Topic
from services.config.domain.channel import Channel
from services.config.domain.secrets import Header
from services.config.domain.tenant import Slots, Tenant


class Channels(Protocol):
    """The channels, removed ones for 30 more days."""

    async def read(self, tenant: str, channel_id: str) -> Channel | None:
        """The channel, or None where the tenant has no such channel."""
        ...

    async def write(self, tenant: str, channel: Channel, owed: AnyEvent) -> bool:
        """Stores the channel and what it owes if its version follows the stored one; False on a miss."""
        ...

    async def forgettable(self, limit: int) -> Sequence[tuple[str, str]]:
        """(tenant, channel_id) of channels removed more than 30 days ago that owe nothing."""
        ...

    async def forget(self, tenant: str, channel_id: str) -> None:
        """Deletes a removed channel; a live one stays."""
        ...


class Tenants(Protocol):
    """The tenants."""

    async def read(self, tenant: str) -> Tenant | None:
        """The tenant, or None."""
        ...

    async def write(self, tenant: str, state: Tenant, owed: AnyEvent) -> bool:
        """Stores the tenant and what it owes if its version follows the stored one; False on a miss."""
        ...


class SlotStore(Protocol):
    """Which channels count for each tenant's limit."""

    async def read(self, tenant: str) -> Slots:
        """The slots; empty ones at version 0 where nothing is stored."""
        ...

    async def write(self, tenant: str, slots: Slots) -> bool:
        """Stores the slots if their version follows the stored one; False on a miss."""
        ...


class Rejections(Protocol):
    """The wishes that were refused, for 7 days, each with its answer."""

    async def read(self, tenant: str, request_id: str) -> AnyEvent | None:
        """The answer this wish was given, or None."""
        ...

    async def write(self, tenant: str, request_id: str, answer: AnyEvent) -> None:
        """Stores the answer and owes it; an answer that is there already stays."""
        ...


class Publishes(Protocol):
    """Kafka, for what is no document's new state: repeats and null records."""

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


class ReadsHeaders(Protocol):
    """The readable part of sealed secrets."""

    def __call__(self, jwe: str) -> Header | None:
        """What the secret says it is good for, or None where it is no sealed secret."""
        ...
