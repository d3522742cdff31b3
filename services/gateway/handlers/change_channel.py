"""Change a channel's settings; a password that is not given stays, as long as it still belongs to the settings."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChangeRequested, ChannelSettings
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.handlers.read_channel import ReadChannel
from services.gateway.handlers.seal_credentials import SealCredentials, Secrets
from services.gateway.ports import Channels, Connected
from services.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class ChangeChannel:
    """The config service decides; we seal, ask and wait."""

    views: Channels
    seal: SealCredentials
    ask: AskOwner
    channels: ReadChannel

    async def handle(
        self, who: Principal, channel_id: str, settings: ChannelSettings, secrets: Secrets, expected: int | None
    ) -> Connected | Pending | Refused:
        """The channel as it now is; ``expected`` is the version the caller has seen."""
        before = await self.views.get(who.tenant, channel_id)
        if before is None or before.removed:
            return NOT_FOUND
        credentials = await self.seal.handle(who.tenant, channel_id, before, settings, secrets)
        if isinstance(credentials, Refused):
            return credentials
        request_id = str(uuid7())
        wish = ChannelChangeRequested(
            request_id=request_id, requested_by=who.sub, channel_id=channel_id, expected_version=expected,
            settings=settings, credentials=credentials,
        )  # fmt: skip
        answer = await self.ask.handle(who, request_id, wish, f"/v1/channels/{channel_id}")
        return await self.channels.settled(who, channel_id, answer)
