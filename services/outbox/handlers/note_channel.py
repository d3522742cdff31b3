"""ChannelChanged: the outbox keeps its copy; new settings are proven, a removed channel's work ends (DESIGN §8)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.topics import CHANNEL_STATUS, Topic
from services.kit.publisher import Publishes
from services.outbox.domain.lane import LaneKey
from services.outbox.handlers.hold_lane import HoldLane
from services.outbox.handlers.prove_channel import ProveChannel
from services.outbox.handlers.remove_channel_messages import RemoveChannelMessages


@dataclass(frozen=True, slots=True)
class NoteChannel:
    """Answers ChannelChanged, and the null that follows a removal. A redelivery does it again."""

    hold: HoldLane
    prove: ProveChannel
    remove: RemoveChannelMessages
    publisher: Publishes

    async def handle(self, changed: Event[ChannelChanged]) -> None:
        """Raises Unavailable."""
        channel, key = changed.data, (changed.tenant, changed.data.channel_id)
        await self.hold.channels.put(changed)
        newest = await self.hold.channels.get(*key)
        if newest is not None and newest.version > channel.version:
            return
        if channel.removed:
            await self._remove(key)
            return
        await self.prove.report.changed(key, channel.version)
        await self.hold.configured(key)
        self.hold.desk.begin(self.prove.handle(*key))

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """The channel was removed long ago."""
        await self.hold.channels.drop(tenant, subject)

    async def _remove(self, key: LaneKey) -> None:
        await self.remove.handle(*key)
        await self.prove.submission.forget(*key)
        await self.prove.statuses.drop(*key)
        await self.publisher.forget(CHANNEL_STATUS, key[0], f"{key[1]}/smtp")
        self.hold.desk.board.drop(key)
        await self.hold.lanes.drop(*key)
