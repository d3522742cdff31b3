"""The beat: whenever a slot is free and a message is due, its take-up begins; else it sleeps until the next is due."""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.unavailable import Unavailable
from services.outbox.domain.lane import LaneKey, Ticket
from services.outbox.handlers.hold_lane import HoldLane
from services.outbox.handlers.take_up import TakeUp

LONGEST_S = 30.0


@dataclass(frozen=True, slots=True)
class DriveLanes:
    """Runs until it is cancelled; a closed board gives it nothing any more."""

    hold: HoldLane
    take_up: TakeUp

    async def handle(self) -> None:
        """For ever."""
        desk = self.hold.desk
        while True:
            while (ticket := desk.board.next(self.hold.database_clock.now())) is not None:
                desk.begin(self._carry(ticket))
            await desk.wait(self._idle_seconds())

    async def _carry(self, ticket: Ticket) -> None:
        await self.take_up.handle(ticket)
        if self.hold.hungry(ticket.lane):
            await self._refill(ticket.lane)

    async def _refill(self, key: LaneKey) -> None:
        work = self.hold.desk.board.lanes[key]
        work.more = False
        try:
            await self.hold.refill(key)
        except Unavailable:
            work.more = True

    def _idle_seconds(self) -> float:
        wakes_at = self.hold.desk.board.wakes_at()
        if wakes_at is None:
            return LONGEST_S
        ahead = (wakes_at - self.hold.database_clock.now()).total_seconds()
        return min(LONGEST_S, max(0.001, ahead + 0.001))
