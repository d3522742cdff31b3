"""Lanes that are due and nobody's are taken, round-robin by tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.outbox.handlers.hold_lane import HOLD_S, HoldLane

CLAIMED = 50
AHEAD_S = 1.0


@dataclass(frozen=True, slots=True)
class ClaimLanes:
    """Runs every second or so."""

    hold: HoldLane

    async def handle(self) -> None:
        """Raises Unavailable."""
        desk = self.hold.desk
        if desk.board.closed:
            return
        soon = self.hold.database_clock.now() + timedelta(seconds=AHEAD_S)
        for lane in await self.hold.lanes.claim(desk.owner, soon, HOLD_S, CLAIMED):
            await self.hold.listed(lane)
