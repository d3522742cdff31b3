"""Owners follow their lanes by change stream: woken ones are listed, pauses begin and end."""

from __future__ import annotations

from dataclasses import dataclass

from services.outbox.handlers.hold_lane import HoldLane
from services.outbox.ports import Lane


@dataclass(frozen=True, slots=True)
class FollowLanes:
    """Runs as long as the stream does; a hint, the sweep is the truth."""

    hold: HoldLane

    async def handle(self) -> None:
        """Ends with the stream."""
        async for lane in self.hold.lanes.changes():
            await self._heard(lane)

    async def _heard(self, lane: Lane) -> None:
        desk, key = self.hold.desk, (lane.tenant, lane.channel_id)
        if lane.owner is None and lane.next_due_at is not None:
            await self.hold.handle(*key)
        elif lane.owner == desk.owner and key in desk.board.lanes:
            desk.board.pause(key, lane.paused_until)
            desk.ring()
            if lane.next_due_at is not None:
                await self.hold.refill(key)
