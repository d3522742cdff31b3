"""How far one connection has read a mailbox: ahead of the cursor, which follows when Kafka has what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.ingest.domain.cursor import Cursor
from services.ingest.domain.session import HEAD_OCTETS, SLICE_UIDS

SLICE_OCTETS: Final = 8 << 20
"""A slice is meant to stay below this; how many UIDs that is, is learned from what came before."""
_FIRST_GUESS: Final = 32_768


@dataclass(slots=True)
class Track:
    """One way through the mailbox of a tenant: read up to ``uid``."""

    uid: int
    imported: bool = False
    tenant: str = ""


@dataclass(slots=True)
class Reading:
    """``live``: what comes in; ``past``: what is imported, up to ``past_through``, not before ``past_at``.

    ``through``: in a renumbering, the UID up to which the mailbox is listed again.
    """

    live: Track
    since: datetime | None = None
    through: int | None = None
    past: Track | None = None
    past_through: int = 0
    past_at: float = 0.0
    average: int = _FIRST_GUESS

    def expectation(self) -> tuple[int, int]:
        """How many UIDs to ask for, and the octets to hold for them."""
        limit = max(1, min(SLICE_UIDS, SLICE_OCTETS // self.average))
        return limit, limit * self.average

    def note(self, sizes: Sequence[int]) -> None:
        """Learn from what came."""
        if sizes:
            seen = max(1024, sum(sizes) // len(sizes))
            self.average = min(HEAD_OCTETS, max(seen, (self.average + seen) // 2))


def begin_reading(cursor: Cursor, tenant: str) -> Reading:
    """Where the cursor stands."""
    through = cursor.renumbered.through if cursor.renumbered is not None else None
    reading = Reading(Track(cursor.last_uid, tenant=tenant), cursor.since, through)
    if cursor.importing is not None:
        reading.past, reading.past_through = Track(cursor.importing.last_uid, True, tenant), cursor.importing.through
    return reading
