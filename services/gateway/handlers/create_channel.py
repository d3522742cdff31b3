"""Create a channel: connect a mail account."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChangeRequested, ChannelSettings
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.handlers.seal_credentials import SealCredentials, Secrets
from services.gateway.ports import Connected
from services.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class CreateChannel:
    """The config service decides; we seal, ask and wait."""

    seal: SealCredentials
    ask: AskOwner
    channels: ReadChannel

    async def handle(
        self, who: Principal, settings: ChannelSettings, secrets: Secrets
    ) -> Connected | Pending | Refused:
        """The new channel."""
        channel_id, request_id = str(uuid7()), str(uuid7())
        credentials = await self.seal.handle(who.tenant, channel_id, None, settings, secrets)
        if isinstance(credentials, Refused):
            return credentials
        wish = ChannelChangeRequested(
            request_id=request_id, requested_by=who.sub, channel_id=channel_id, expected_version=0,
            settings=settings, credentials=credentials,
        )  # fmt: skip
        answer = await self.ask.handle(who, request_id, wish, f"/v1/channels/{channel_id}")
        return await self.channels.settled(who, channel_id, answer)
