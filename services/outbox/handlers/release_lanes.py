"""Lanes are given back, so that another replica can go on at once."""

from __future__ import annotations

from dataclasses import dataclass

from services.outbox.domain.lane import LaneKey
from services.outbox.handlers.hold_lane import HoldLane


@dataclass(frozen=True, slots=True)
class ReleaseLanes:
    """At the end of the process, and for lanes that are idle."""

    hold: HoldLane

    async def handle(self) -> None:
        """All of them. Raises Unavailable; what is not released lapses."""
        for key in list(self.hold.desk.board.lanes):
            await self.one(key)

    async def one(self, key: LaneKey) -> None:
        """This one; it is due again when the first message of it is."""
        desk = self.hold.desk
        work = desk.board.lanes.get(key)
        next_due = min((due for due, _, _ in work.waiting), default=None) if work is not None else None
        desk.board.drop(key)
        await self.hold.lanes.release(desk.owner, *key, next_due)
