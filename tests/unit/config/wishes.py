"""Config on its fakes, and wishes to send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contracts.channel import (
    ChannelChangeRequested,
    ChannelRemovalRequested,
    ChannelSettings,
    Credentials,
    ReconnectRequested,
    SealedSecret,
)
from contracts.event import Event, event
from contracts.outcome import ChannelChangeRejected
from contracts.payload import Payload
from contracts.tenant import TenantChangeRequested
from services.config.adapters.sealed_headers import read_header
from services.config.domain.validation import Allowed
from services.config.handlers.change_channel import ChangeChannel
from services.config.handlers.change_tenant import ChangeTenant
from services.config.handlers.forget_channels import ForgetChannels
from services.config.handlers.reconnect_channel import ReconnectChannel
from services.config.handlers.reject_request import RejectRequest
from services.config.handlers.remove_channel import RemoveChannel
from services.config.handlers.return_slot import ReturnSlot
from services.config.handlers.take_slot import TakeSlot
from services.config.handlers.watch_topics import WatchTopics
from services.kit.sealing import Binding, Sealer, new_keypair
from tests.fakes.clock import FakeClock
from tests.fakes.config_store import FakeChannels, FakeRejections, FakeSlots, FakeTenants
from tests.fakes.publisher import FakePublisher

SEALER = Sealer(new_keypair()[0])
SERVER = {"host": "mail.example.com", "port": 993, "security": "tls", "user_name": "desk@example.com"}
SETTINGS: dict[str, Any] = {
    "name": "Vendas", "address": "desk@example.com", "imap": SERVER, "smtp": {**SERVER, "port": 465},
}  # fmt: skip


def new_id() -> str:
    """A canonical id."""
    return str(uuid4())


def settings(**changed: Any) -> ChannelSettings:
    """Good settings, changed; ``imap`` and ``smtp`` change single fields."""
    found = {**SETTINGS, **changed}
    for direction in ("imap", "smtp"):
        found[direction] = {**SETTINGS[direction], **changed.get(direction, {})}
    return ChannelSettings.model_validate(found)


def sealed(
    tenant: str, channel_id: str, direction: str, /, of: ChannelSettings, version: int = 1, **other: Any
) -> SealedSecret:
    """A secret sealed for these settings, or for ``other`` ones."""
    server = getattr(of, direction)
    bound = {
        "tenant": tenant, "channel_id": channel_id, "direction": direction, "host": server.host, "port": server.port,
        "security": server.security.value, "user_name": server.user_name, "sealed_version": version,
    }  # fmt: skip
    return SealedSecret(jwe=SEALER.seal({"password": "x"}, bound=Binding(**{**bound, **other})), sealed_version=version)


@dataclass
class World:
    """Config, composed on fakes, with a tenant that may have two channels."""

    tenant: str = field(default_factory=new_id)
    channel_id: str = field(default_factory=new_id)
    channels: FakeChannels = field(default_factory=FakeChannels)
    tenants: FakeTenants = field(default_factory=FakeTenants)
    slots: FakeSlots = field(default_factory=FakeSlots)
    rejections: FakeRejections = field(default_factory=FakeRejections)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    clock: FakeClock = field(default_factory=FakeClock)
    allowed: Allowed = field(default_factory=Allowed)

    def __post_init__(self) -> None:
        taken, returned = TakeSlot(self.slots), ReturnSlot(self.slots)
        reject = RejectRequest(self.rejections, self.publisher, self.clock)
        parts = (reject, self.publisher, self.clock)
        self.change = ChangeChannel(self.channels, self.tenants, taken, returned, *parts, self.allowed, read_header)
        self.removal = RemoveChannel(self.channels, returned, *parts)
        self.reconnection = ReconnectChannel(self.channels, self.tenants, *parts)
        self.plan = ChangeTenant(self.tenants, *parts)
        self.watch = WatchTopics(self.channels, self.tenants, self.publisher)
        self.sweep = ForgetChannels(self.channels, self.publisher)

    def event(self, wish: Payload) -> Event[Any]:
        """The wish as it arrives."""
        return event(self.tenant, wish, at=self.clock.now(), source="gateway")

    async def with_plan(self, *, enabled: bool = True, most: int = 2) -> World:
        """The tenant's plan is set."""
        await self.plan.handle(self.event(self.plan_wish(enabled=enabled, most=most)))
        return self

    def plan_wish(self, *, enabled: bool = True, most: int = 2, name: str = "Loja Azul") -> TenantChangeRequested:
        """A wish of the platform."""
        return TenantChangeRequested(
            request_id=new_id(), requested_by="platform", name=name, email_enabled=enabled, max_channels=most
        )

    def wish(
        self, *, expected: int | None = 0, of: ChannelSettings | None = None, channel_id: str | None = None,
        credentials: Credentials | None = None,
    ) -> ChannelChangeRequested:  # fmt: skip
        """A wish with both secrets sealed for its settings, unless other credentials are given."""
        wished, channel = of or settings(), channel_id or self.channel_id
        both = Credentials(
            imap=sealed(self.tenant, channel, "imap", wished), smtp=sealed(self.tenant, channel, "smtp", wished)
        )
        return ChannelChangeRequested(
            request_id=new_id(), requested_by="admin", channel_id=channel, expected_version=expected,
            settings=wished, credentials=credentials or both,
        )  # fmt: skip

    async def ask(self, wish: Payload) -> None:
        """Hands the wish to its handler."""
        match wish:
            case ChannelChangeRequested():
                await self.change.handle(self.event(wish))
            case ChannelRemovalRequested():
                await self.removal.handle(self.event(wish))
            case ReconnectRequested():
                await self.reconnection.handle(self.event(wish))
            case _:
                await self.plan.handle(self.event(wish))

    def removal_wish(self, expected: int | None = None) -> ChannelRemovalRequested:
        """A wish to remove the channel."""
        return ChannelRemovalRequested(
            request_id=new_id(), requested_by="admin", channel_id=self.channel_id, expected_version=expected
        )

    def reconnect_wish(self) -> ReconnectRequested:
        """A wish to reconnect."""
        return ReconnectRequested(request_id=new_id(), requested_by="admin", channel_id=self.channel_id)

    def refusal(self) -> ChannelChangeRejected:
        """The one refusal."""
        assert len(self.rejections.owed) == 1, [owed.data.code for owed in self.rejections.owed]
        return self.rejections.owed[0].data  # type: ignore[no-any-return]
