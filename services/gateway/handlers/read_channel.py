"""List channels and read one, with the state of both directions."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.domain.answers import Granted, Pending
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Channels, Connected, Statuses


@dataclass(frozen=True, slots=True)
class ReadChannel:
    """Never shows a secret, sealed or not."""

    channels: Channels
    statuses: Statuses

    async def handle(self, who: Principal, channel_id: str) -> Connected | Refused:
        """One channel."""
        channel = await self.channels.get(who.tenant, channel_id)
        if channel is None or channel.removed:
            return NOT_FOUND
        known = await self.statuses.of(who.tenant, [channel_id])
        return Connected(channel, known.get(channel_id, ()))

    async def list(self, who: Principal, cut: Cut) -> Page[Connected]:
        """All channels of the tenant, in order of creation."""
        page = await self.channels.list(who.tenant, cut)
        known = await self.statuses.of(who.tenant, [channel.channel_id for channel in page.items])
        return Page(tuple(Connected(one, known.get(one.channel_id, ())) for one in page.items), page.after)

    async def settled(
        self, who: Principal, channel_id: str, answer: Granted | Pending | Refused
    ) -> Connected | Pending | Refused:
        """The channel at the version that granted a wish."""
        if not isinstance(answer, Granted):
            return answer
        channel = await self.channels.at_least(who.tenant, channel_id, answer.version)
        known = await self.statuses.of(who.tenant, [channel_id])
        return Connected(channel, known.get(channel_id, ()))
