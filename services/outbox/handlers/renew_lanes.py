"""Lanes that are ours stay ours: prolonged, and what was woken meanwhile is listed; idle ones are given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.outbox.handlers.hold_lane import HOLD_S, HoldLane
from services.outbox.handlers.release_lanes import ReleaseLanes

IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class RenewLanes:
    """Runs a few times within the time a lane is held."""

    hold: HoldLane
    release: ReleaseLanes

    async def handle(self) -> None:
        """Raises Unavailable."""
        board = self.hold.desk.board
        renewed = await self.hold.lanes.renew(self.hold.desk.owner, HOLD_S)
        mine = {(lane.tenant, lane.channel_id): lane for lane in renewed}
        for key in [each for each in board.lanes if each not in mine]:
            board.drop(key)
        for key, lane in mine.items():
            if key not in board.lanes:
                await self.hold.listed(lane)
            elif lane.next_due_at is not None:
                await self.hold.refill(key)
        for key in board.idle(self.hold.database_clock.now() - timedelta(seconds=IDLE_S)):
            await self.release.one(key)
