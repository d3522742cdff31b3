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
class Reading:
    """``uid``: read up to here. ``through``: in a renumbering, the UID up to which the mailbox is listed again."""

    uid: int
    since: datetime | None = None
    through: int | None = None
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


def begin_reading(cursor: Cursor) -> Reading:
    """Where the cursor stands."""
    through = cursor.renumbered.through if cursor.renumbered is not None else None
    return Reading(cursor.last_uid, cursor.since, through)
