"""Signature on its fakes: one tenant, one channel, an operator, and wishes to send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from contracts.channel import ChannelChanged, ChannelSettings, Credentials
from contracts.conversation import Correspondent
from contracts.event import Event, event
from contracts.message import MessageComposed, SendRequested
from contracts.operator import OperatorChanged
from contracts.outcome import SignatureChangeRejected
from contracts.payload import Payload
from contracts.signature import (
    SignatureChangeRequested,
    SignatureMode,
    SignaturePolicyChangeRequested,
    SignatureTemplate,
)
from contracts.tenant import TenantChanged
from services.signature.handlers.change_policy import ChangePolicy
from services.signature.handlers.change_signature import ChangeSignature
from services.signature.handlers.compose_message import ComposeMessage
from services.signature.handlers.find_channel import FindChannel
from services.signature.handlers.find_images import FindImages
from services.signature.handlers.keep_copies import KeepCopies
from services.signature.handlers.keep_images import KeepImages
from services.signature.handlers.reject_request import RejectRequest
from services.signature.handlers.render_signature import RenderSignature
from services.signature.handlers.watch_topic import WatchTopic
from services.signature.handlers.write_body import WriteBody
from tests.fakes.clock import FakeClock
from tests.fakes.config_store import FakeRejections
from tests.fakes.publisher import FakePublisher
from tests.fakes.signature_store import FakeBodies, FakeCopies, FakeImages, FakeRenderer, FakeSignatures

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SERVER = {"host": "mail.example.com", "port": 993, "security": "tls", "user_name": "desk@example.com"}


def new_id() -> str:
    """A canonical id."""
    return str(uuid4())


@dataclass
class Desk:
    """Composed on fakes; the copies know the channel, the operator Ana and the tenant at version 1."""

    tenant: str = field(default_factory=new_id)
    channel_id: str = field(default_factory=new_id)
    ana: str = field(default_factory=new_id)
    channels: FakeCopies[ChannelChanged] = field(default_factory=FakeCopies)
    operators: FakeCopies[OperatorChanged] = field(default_factory=FakeCopies)
    tenants: FakeCopies[TenantChanged] = field(default_factory=FakeCopies)
    signatures: FakeSignatures = field(default_factory=FakeSignatures)
    rejections: FakeRejections = field(default_factory=FakeRejections)
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    bodies: FakeBodies = field(default_factory=FakeBodies)
    images: FakeImages = field(default_factory=FakeImages)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        reject, find = RejectRequest(self.rejections, self.publisher, self.clock), FindChannel(self.channels)
        self.compose = ComposeMessage(
            self.channels, self.operators, self.tenants, self.signatures, RenderSignature(self.renderer),
            WriteBody(self.renderer, self.bodies, self.clock), self.publisher, self.clock,
        )  # fmt: skip
        images = FindImages(self.images)
        self.sign = ChangeSignature(self.signatures, find, images, self.renderer, reject, self.publisher, self.clock)
        self.keep = KeepImages(self.signatures, self.images, self.clock)
        self.policy = ChangePolicy(self.signatures, find, reject, self.publisher, self.clock)
        self.copies = KeepCopies(self.channels, self.operators, self.tenants, self.signatures, self.publisher)
        self.watch = WatchTopic(self.signatures, self.channels, self.publisher)

    async def opened(self) -> Desk:
        """With its copies."""
        await self.copies.channel(self.event(self.channel()))
        await self.copies.operator(
            self.event(OperatorChanged(operator_id=self.ana, name="Ana", email="ana@example.com"))
        )
        plan = TenantChanged(request_id=new_id(), name="Loja Azul", email_enabled=True, max_channels=3)
        await self.copies.tenant(self.event(plan))
        return self

    def event(self, data: Payload) -> Event[Any]:
        """The data as it arrives."""
        return event(self.tenant, data, at=NOON, source="gateway")

    def channel(self, version: int = 1, *, removed: bool = False, sender_name: str = "") -> ChannelChanged:
        """The channel as config tells it."""
        settings = ChannelSettings.model_validate(
            {
                "name": "Vendas",
                "address": "desk@example.com",
                "sender_name": sender_name,
                "imap": SERVER,
                "smtp": SERVER,
            }
        )
        return ChannelChanged(
            version=version, request_id=None, channel_id=self.channel_id, settings=settings, removed=removed,
            credentials=Credentials(), created_at=NOON, changed_at=NOON,
        )  # fmt: skip

    async def signed(
        self, html: str = "", text: str = "", *, by: str | None = None, mode: str = "text", **more: Any
    ) -> str:
        """Sets a signature (the default one where ``by`` is None) and gives the request's id."""
        wish = self.wish(html, text, by=by, mode=mode, **more)
        await self.sign.handle(self.event(wish))
        return wish.request_id

    def wish(
        self, html: str = "", text: str = "", *, by: str | None = None, mode: str = "text", expected: int | None = None
    ) -> SignatureChangeRequested:
        """A wish to set a signature."""
        return SignatureChangeRequested(
            request_id=new_id(), requested_by="admin", channel_id=self.channel_id, operator_id=by,
            expected_version=expected, template=SignatureTemplate(mode=SignatureMode(mode), html=html, text=text),
        )  # fmt: skip

    async def switched(self, *, sign: bool = True, default: bool = True, expected: int | None = None) -> str:
        """Turns the switches and gives the request's id."""
        wish = SignaturePolicyChangeRequested(
            request_id=new_id(), requested_by="admin", channel_id=self.channel_id, expected_version=expected,
            operators_sign=sign, default_enabled=default,
        )  # fmt: skip
        await self.policy.handle(self.event(wish))
        return wish.request_id

    def message(self, **given: Any) -> SendRequested:
        """An accepted message of Ana's to Rui."""
        fields: dict[str, Any] = {
            "message_id": new_id(), "conversation_id": new_id(), "channel_id": self.channel_id, "channel_version": 1,
            "operator_id": self.ana, "operator_version": 1, "requested_by": "ana",
            "internet_message_id": "<x@example.com>",
            "to": (Correspondent(address="rui@example.net", name="Rui"),), "subject": "Pedido", "text": "Bom dia!",
            "undo_seconds": 10, "accepted_at": NOON, "expires_at": NOON + timedelta(days=1),
        }  # fmt: skip
        return SendRequested(**{**fields, **given})

    async def composed(self, **given: Any) -> MessageComposed:
        """What became of such a message."""
        await self.compose.handle(self.event(self.message(**given)))
        told = self.publisher.published[-1].data
        assert isinstance(told, MessageComposed)
        return MessageComposed.model_validate_json(told.model_dump_json())

    def refusal(self) -> SignatureChangeRejected:
        """The one refusal."""
        (owed,) = self.rejections.owed
        assert isinstance(owed.data, SignatureChangeRejected)
        return owed.data
