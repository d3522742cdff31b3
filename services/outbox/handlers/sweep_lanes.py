"""The sweep over the due index: a lane nobody holds, a message nobody lists, because a crash left them unseen."""

from __future__ import annotations

from dataclasses import dataclass

from services.outbox.handlers.hold_lane import HoldLane

SWEPT = 500


@dataclass(frozen=True, slots=True)
class SweepLanes:
    """Runs every five seconds: the truth behind every hint."""

    hold: HoldLane

    async def handle(self) -> None:
        """Raises Unavailable."""
        board, now = self.hold.desk.board, self.hold.database_clock.now()
        for tenant, channel_id, _ in await self.hold.store.due_lanes(now, SWEPT):
            work = board.lanes.get((tenant, channel_id))
            if work is None:
                await self.hold.handle(tenant, channel_id)
            elif not work.waiting or work.more:
                await self.hold.refill((tenant, channel_id))
