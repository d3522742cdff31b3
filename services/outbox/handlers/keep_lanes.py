"""The lanes of this replica over time: taken where work waits, renewed, followed, given up when idle, released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.outbox.domain.lane import LaneKey
from services.outbox.handlers.hold_lane import HOLD_S, HoldLane

CLAIMED = 50
SWEPT = 500
IDLE_S = 60.0
GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class KeepLanes:
    """The loops around lanes. Nothing here is needed for safety."""

    hold: HoldLane

    async def claim(self) -> None:
        """Take lanes that are due, round-robin by tenant."""
        desk = self.hold.desk
        if desk.board.closed:
            return
        soon = self.hold.database_clock.now() + timedelta(seconds=GRACE_S)
        for lane in await self.hold.lanes.claim(desk.owner, soon, HOLD_S, CLAIMED):
            await self.hold.listed(lane)

    async def sweep(self) -> None:
        """Find, over the due index, what a crash left unseen: a lane nobody holds, a message nobody lists."""
        board, now = self.hold.desk.board, self.hold.database_clock.now()
        for tenant, channel_id, _ in await self.hold.store.due_lanes(now, SWEPT):
            work = board.lanes.get((tenant, channel_id))
            if work is None:
                await self.hold.handle(tenant, channel_id)
            elif not work.waiting or work.more:
                await self.hold.refill((tenant, channel_id))

    async def renew(self) -> None:
        """Prolong what is ours; drop what is not any more; list what was woken meanwhile; let idle lanes go."""
        desk = self.hold.desk
        mine = {(lane.tenant, lane.channel_id): lane for lane in await self.hold.lanes.renew(desk.owner, HOLD_S)}
        for key in [each for each in desk.board.lanes if each not in mine]:
            desk.board.drop(key)
        for key, lane in mine.items():
            if key not in desk.board.lanes:
                await self.hold.listed(lane)
            elif lane.next_due_at is not None:
                await self.hold.refill(key)
        for key in desk.board.idle(self.hold.database_clock.now() - timedelta(seconds=IDLE_S)):
            await self._let_go(key)

    async def follow(self) -> None:
        """As lanes change: list what was woken, begin or end pauses. Ends with the stream."""
        desk = self.hold.desk
        async for lane in self.hold.lanes.changes():
            key = (lane.tenant, lane.channel_id)
            if lane.owner == desk.owner and key in desk.board.lanes:
                desk.board.pause(key, lane.paused_until)
                desk.ring()
                if lane.next_due_at is not None:
                    await self.hold.refill(key)
            elif lane.owner is None and lane.next_due_at is not None:
                await self.hold.handle(*key)

    async def release_all(self) -> None:
        """Give every lane back at once: others go on."""
        for key in list(self.hold.desk.board.lanes):
            await self._let_go(key)

    async def _let_go(self, key: LaneKey) -> None:
        desk = self.hold.desk
        work = desk.board.lanes.get(key)
        next_due = min((due for due, _, _ in work.waiting), default=None) if work is not None else None
        desk.board.drop(key)
        await self.hold.lanes.release(desk.owner, *key, next_due)
