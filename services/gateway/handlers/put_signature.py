"""Signatures of a channel: read all, put an operator's or the default one, turn the two switches."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.signature import SignatureChangeRequested, SignaturePolicyChangeRequested, SignatureTemplate
from services.gateway.domain.answers import Granted, Pending
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.ask_owner import AskOwner
from services.gateway.ports import Channels, Operators, Signatures, Signed
from services.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class PutSignature:
    """The signature service decides; we ask and wait."""

    channels: Channels
    operators: Operators
    signatures: Signatures
    ask: AskOwner

    async def read(self, who: Principal, channel_id: str) -> Signed | Refused:
        """Everything a channel has of signatures."""
        if await self._channel(who, channel_id) is None:
            return NOT_FOUND
        return await self.signatures.of(who.tenant, channel_id)

    async def handle(
        self, who: Principal, channel_id: str, operator_id: str | None, template: SignatureTemplate,
        expected: int | None,
    ) -> Signed | Pending | Refused:  # fmt: skip
        """Puts the signature of an operator, or the default one where ``operator_id`` is None."""
        if await self._channel(who, channel_id) is None:
            return NOT_FOUND
        if operator_id and await self.operators.get(who.tenant, operator_id) is None:
            return NOT_FOUND
        request_id = str(uuid7())
        wish = SignatureChangeRequested(
            request_id=request_id, requested_by=who.sub, channel_id=channel_id, operator_id=operator_id,
            expected_version=expected, template=template,
        )  # fmt: skip
        return await self._settled(who, channel_id, await self.ask.handle(who, request_id, wish, _path(channel_id)))

    async def default(
        self, who: Principal, channel_id: str, template: SignatureTemplate, expected: int | None
    ) -> Signed | Pending | Refused:
        """Puts the default signature."""
        return await self.handle(who, channel_id, None, template, expected)

    async def turn(
        self, who: Principal, channel_id: str, operators_sign: bool, default_enabled: bool, expected: int | None
    ) -> Signed | Pending | Refused:
        """Turns the two switches."""
        if await self._channel(who, channel_id) is None:
            return NOT_FOUND
        request_id = str(uuid7())
        wish = SignaturePolicyChangeRequested(
            request_id=request_id, requested_by=who.sub, channel_id=channel_id, expected_version=expected,
            operators_sign=operators_sign, default_enabled=default_enabled,
        )  # fmt: skip
        return await self._settled(who, channel_id, await self.ask.handle(who, request_id, wish, _path(channel_id)))

    async def _settled(
        self, who: Principal, channel_id: str, answer: Granted | Pending | Refused
    ) -> Signed | Pending | Refused:
        # The projection keeps the new state before it notes that the wish was granted.
        return await self.signatures.of(who.tenant, channel_id) if isinstance(answer, Granted) else answer

    async def _channel(self, who: Principal, channel_id: str) -> ChannelChanged | None:
        channel = await self.channels.get(who.tenant, channel_id)
        return None if channel is None or channel.removed else channel


def _path(channel_id: str) -> str:
    return f"/v1/channels/{channel_id}/signatures"
