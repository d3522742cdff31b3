"""Our own status topic is compacted: a stale last record would stay, so an old one makes us say the newest again."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.channel_status import ChannelStatusChanged, Direction
from contracts.event import Event
from contracts.topics import CHANNEL_STATUS
from services.ingest.domain.account import ChannelKey
from services.ingest.handlers.facts import speak_status
from services.ingest.ports import Clock, StatusStore
from services.kit.publisher import Publishes


@dataclass(frozen=True, slots=True)
class RestateStatus:
    """Answers ChannelStatusChanged of the IMAP direction. ``said``: the versions that were said again already."""

    statuses: StatusStore
    publisher: Publishes
    clock: Clock
    said: dict[ChannelKey, int] = field(default_factory=dict)

    async def handle(self, heard: Event[ChannelStatusChanged]) -> None:
        """Raises Unavailable."""
        if heard.data.direction is not Direction.IMAP:
            return
        key = (heard.tenant, heard.data.channel_id)
        status = await self.statuses.load(*key)
        if status is None:
            await self.publisher.forget(CHANNEL_STATUS, key[0], heard.subject)
        elif heard.data.version < status.version and self.said.get(key) != status.version:
            await self.publisher.publish(speak_status(status, self.clock.now()))
            self.said[key] = status.version
