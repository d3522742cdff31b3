"""The tenant: what the platform enables for it, and the slots its channels take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from contracts import limits
from contracts.addresses import breaks_header
from services.config.domain.outcome import Fault, Recent, Refusal, Unchanged

MOST_CHANNELS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant as it is stored."""

    name: str
    email_enabled: bool
    max_channels: int
    version: int
    request_id: str
    recent: Recent = field(default_factory=Recent)


@dataclass(frozen=True, slots=True)
class Slots:
    """The channels that count for a tenant's limit; one document, changed by compare-and-set on its version."""

    channel_ids: tuple[str, ...] = ()
    version: int = 0


def decide(before: Tenant | None, wished: Tenant) -> Tenant | Refusal | Unchanged:
    """The tenant after this wish; of ``wished`` version and recent are ignored."""
    if before is not None and before.recent.has(wished.request_id):
        return Unchanged()
    if faults := tuple(_faults(wished)):
        return Refusal("invalid", "The tenant has fields that can't be taken.", faults)
    recent = (before.recent if before else Recent()).plus(wished.request_id)
    return replace(wished, version=(before.version if before else 0) + 1, recent=recent)


def may_write(tenant: Tenant | None) -> Refusal | None:
    """Refuses where e-mail is not part of the tenant's plan."""
    if tenant is None or not tenant.email_enabled:
        return Refusal("email_disabled", "E-mail is not enabled for this tenant. Ask the platform to enable it.")
    return None


def take(slots: Slots, channel_id: str, tenant: Tenant) -> Slots | Refusal | Unchanged:
    """The slots with this channel, or why there is no room for it."""
    if channel_id in slots.channel_ids:
        return Unchanged()
    if len(slots.channel_ids) >= tenant.max_channels:
        detail = f"This tenant may have {tenant.max_channels} channels. Remove one, or ask the platform for more."
        return Refusal("channel_limit", detail)
    return Slots((*slots.channel_ids, channel_id), slots.version + 1)


def give_back(slots: Slots, channel_id: str) -> Slots | Unchanged:
    """The slots without this channel."""
    if channel_id not in slots.channel_ids:
        return Unchanged()
    return Slots(tuple(one for one in slots.channel_ids if one != channel_id), slots.version + 1)


def _faults(wished: Tenant) -> Iterator[Fault]:
    if not 0 < len(wished.name.strip()) <= limits.NAME_LENGTH or breaks_header(wished.name):
        yield Fault("name", "text", f"Give a name without line breaks, up to {limits.NAME_LENGTH} characters.")
    if not 0 <= wished.max_channels <= MOST_CHANNELS:
        yield Fault("max_channels", "range", f"Choose between 0 and {MOST_CHANNELS}.")
