"""How long anything is remembered (DESIGN §3.7): longer than any replay, so that a repeat always meets its document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts import limits
from services.outbox.domain.answers import unknown
from services.outbox.domain.document import Message
from services.outbox.domain.facts import Decision, changed

_VERSION_7 = 7


def too_old(now: datetime, *ids: str) -> bool:
    """The age gate: one of these ids was minted longer ago than anything may be replayed. Ids that are no UUIDv7 carry
    no time and pass."""
    return any(made is not None and now - made > timedelta(seconds=limits.AGE_GATE) for made in map(minted_at, ids))


def minted_at(text: str) -> datetime | None:
    """When a UUIDv7 was made (RFC 9562 section 5.7: its first 48 bits are milliseconds of Unix time)."""
    number = UUID(text)
    if number.version != _VERSION_7:
        return None
    return datetime.fromtimestamp((number.int >> 80) / 1000, UTC)


def orphan(tombstone: Message, now: datetime) -> Decision:
    """The end of a tombstone whose message never came: its cancels are told so before it is purged."""
    return changed(tombstone, *(unknown(each) for each in tombstone.held_cancels), terminal_at=now)


def slim_before(now: datetime) -> datetime:
    """Messages terminal before this lose their raw form."""
    return now - timedelta(seconds=limits.SLIM_AFTER)


def forget_before(now: datetime) -> datetime:
    """Documents that ended before this, and tombstones made before it, are forgotten."""
    return now - timedelta(seconds=limits.HORIZON)
