"""Our own status topic is compacted: a stale last record would stay, so an old one makes us say the newest again."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.channel_status import ChannelStatusChanged, Direction
from contracts.event import Event
from contracts.topics import CHANNEL_STATUS
from services.kit.publisher import Publishes
from services.outbox.domain.lane import LaneKey
from services.outbox.handlers.report_smtp import speak_status
from services.outbox.ports import DatabaseClock, StatusStore


@dataclass(frozen=True, slots=True)
class RestateStatus:
    """Answers ChannelStatusChanged of the SMTP direction. ``said``: the versions that were said again already."""

    statuses: StatusStore
    publisher: Publishes
    database_clock: DatabaseClock
    said: dict[LaneKey, int] = field(default_factory=dict)

    async def handle(self, heard: Event[ChannelStatusChanged]) -> None:
        """Raises Unavailable."""
        if heard.data.direction is not Direction.SMTP:
            return
        key = (heard.tenant, heard.data.channel_id)
        status = await self.statuses.load(*key)
        if status is None:
            await self.publisher.forget(CHANNEL_STATUS, key[0], heard.subject)
        elif heard.data.version < status.version and self.said.get(key) != status.version:
            await self.publisher.publish(speak_status(status, self.database_clock.now()))
            self.said[key] = status.version
