"""This replica takes a lane, or keeps it: what waits there is listed on its board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.outbox.domain.lane import LaneKey
from services.outbox.domain.rate import Bucket
from services.outbox.ports import Channels, Clock, DatabaseClock, Desk, Lane, Lanes, MessageStore

HOLD_S = 8.0
"""A lane of a replica that died is free after this long."""
AHEAD_S = 150.0
"""How far ahead a lane is listed: beyond the longest undo window."""
LISTED = 1000
"""At most so many messages of a lane are listed at once; the rest when these get fewer than ``HUNGRY``."""
HUNGRY = 200
ELSEWHERE_S = 3.0


@dataclass(frozen=True, slots=True)
class HoldLane:
    """Claims one lane and lists it."""

    desk: Desk
    lanes: Lanes
    store: MessageStore
    channels: Channels
    clock: Clock
    database_clock: DatabaseClock

    async def handle(self, tenant: str, channel_id: str) -> bool:
        """Whether the lane is ours now."""
        key = (tenant, channel_id)
        if self.desk.board.closed or key in self.desk.claiming:
            return False
        self.desk.claiming.add(key)
        try:
            lane = await self.lanes.claim_one(self.desk.owner, tenant, channel_id, HOLD_S)
            if lane is not None:
                await self.listed(lane)
        finally:
            self.desk.claiming.discard(key)
        if lane is None:
            self.desk.elsewhere[key] = self.clock.monotonic() + ELSEWHERE_S
        return lane is not None

    async def listed(self, lane: Lane) -> None:
        """Put a lane that is ours on the board, with what waits in it."""
        key = (lane.tenant, lane.channel_id)
        self.desk.elsewhere.pop(key, None)
        work = self.desk.board.open(key, self.database_clock.now())
        work.paused_until = lane.paused_until
        await self.configured(key)
        await self.refill(key)

    async def configured(self, key: LaneKey) -> None:
        """Take the channel's limits over."""
        channel = await self.channels.get(*key)
        work = self.desk.board.lanes.get(key)
        if channel is None or work is None:
            return
        settings = channel.settings
        work.connections, work.host = settings.connections, settings.smtp.host
        if work.bucket.per_minute != settings.per_minute:
            work.bucket = Bucket(settings.per_minute)

    async def refill(self, key: LaneKey) -> None:
        """List what waits, as far as there is room."""
        work = self.desk.board.lanes.get(key)
        if work is None or len(work.known) >= LISTED or self.desk.board.closed:
            return
        found = await self.store.due(*key, self._ahead(), LISTED)
        for ticket in found:
            self.desk.board.add(ticket)
        work.more = len(found) >= LISTED
        self.desk.ring()

    def hungry(self, key: LaneKey) -> bool:
        """Whether more waits in the database than is listed, and little is listed."""
        work = self.desk.board.lanes.get(key)
        return work is not None and work.more and len(work.known) < HUNGRY

    def _ahead(self) -> datetime:
        return self.database_clock.now() + timedelta(seconds=AHEAD_S)
