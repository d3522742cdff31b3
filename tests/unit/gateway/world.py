"""A gateway in memory with one tenant, two operators, a channel and a conversation; over use cases or over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, SealedSecret, Security, Server
from contracts.event import AnyEvent, event
from contracts.operator import OperatorChanged
from contracts.tenant import TenantChanged
from services.gateway.adapters.http_app import application
from services.gateway.adapters.rest import Door
from services.gateway.adapters.tokens import Tokens
from services.gateway.app import compose
from services.gateway.domain.conversation import Conversation
from services.gateway.domain.message import Message, Person, Progress
from services.gateway.domain.who import SCOPES, Principal
from services.gateway.handlers import Handlers
from services.gateway.ports import Key, Ports
from services.gateway.routes import endpoints
from services.kit.ids import uuid7
from tests.fakes.clock import FakeClock
from tests.fakes.gateway_arrivals import FakeArrivals, FakeChanges, FakeFiles
from tests.fakes.gateway_messages import FakeBacklog, FakeConversations, FakeMessages
from tests.fakes.gateway_world import (
    FakeChannels,
    FakeDrafts,
    FakeHosts,
    FakeOperators,
    FakeTenants,
    FakeWaits,
    FakeWishes,
    fake_ports,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TENANT, OTHER = "acme", "umbrella"
ANA, RUI, CHANNEL = (str(uuid7()) for _ in range(3))
ISSUER = "http://issuer.test"
SIGNER = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})


@dataclass
class World:
    """The fakes by their own types, and the use cases on them."""

    ports: Ports = field(default_factory=fake_ports)
    use: Handlers = field(init=False)

    def __post_init__(self) -> None:
        self.use = compose(self.ports)
        self.messages = cast(FakeMessages, self.ports.messages)
        self.conversations = cast(FakeConversations, self.ports.conversations)
        self.arrivals = cast(FakeArrivals, self.ports.arrivals)
        self.files = cast(FakeFiles, self.ports.files)
        self.drafts = cast(FakeDrafts, self.ports.drafts)
        self.changes = cast(FakeChanges, self.ports.changes)
        self.operators = cast(FakeOperators, self.ports.operators)
        self.wishes = cast(FakeWishes, self.ports.wishes)
        self.backlog = cast(FakeBacklog, self.ports.backlog)
        self.tenants = cast(FakeTenants, self.ports.tenants)
        self.channels = cast(FakeChannels, self.ports.channels)
        self.hosts = cast(FakeHosts, self.ports.hosts)
        self.waits = cast(FakeWaits, self.ports.waits)
        self.clock = cast(FakeClock, self.ports.clock)

    def conversation(self, **changes: Any) -> Conversation:
        """One that stands already."""
        made = Conversation(
            TENANT, str(uuid7()), CHANNEL, (Person("carla@client.test", "Carla"),), "Your order", NOW, "ana", NOW
        )
        made = replace(made, **changes)
        self.conversations.kept[made.tenant, made.conversation_id] = made
        return made

    async def message(self, who: Principal | None = None, **progress: Any) -> Message:
        """An accepted message, at that progress."""
        key = Key(f"messages/{uuid4()}", "hash")
        made = await self.use.send.handle(who or ana(), self.conversation().conversation_id, content(), key)
        assert isinstance(made, Message), made
        made = replace(made, progress=replace(Progress(), **progress))
        self.messages.kept[TENANT, made.message_id] = made
        return made

    def events(self) -> list[AnyEvent]:
        """Everything that was handed to a relay."""
        stores = (self.messages, self.conversations, self.operators, self.wishes)
        return [one for store in stores for _, one in store.spoken]

    def owner_grants(self) -> None:
        """From now on config grants every wish at once."""

        async def grant(wish: Any, asked: AnyEvent) -> None:
            said = asked.data
            before = self.channels.kept.get((asked.tenant, getattr(said, "channel_id", "")))
            if not hasattr(said, "channel_id"):
                fields = {"name": said.name, "email_enabled": said.email_enabled, "max_channels": said.max_channels}
                await self.use.settings.handle(
                    _event(asked.tenant, TenantChanged(request_id=said.request_id, **fields))
                )
                return
            state = before or channel()
            state = state.model_copy(
                update={
                    "version": before.version + 1 if before else 1, "request_id": said.request_id,
                    "channel_id": said.channel_id, "settings": getattr(said, "settings", state.settings),
                    "removed": type(said).__name__ == "ChannelRemovalRequested",
                }
            )  # fmt: skip
            await self.use.settings.handle(_event(asked.tenant, state))

        self.wishes.owner = grant


def _event(tenant: str, data: Any) -> AnyEvent:
    return event(tenant, data, at=NOW, source="config")


async def world(**channel_changes: Any) -> World:
    """Tenant, operators and channel are known."""
    made = World()
    for tenant in (TENANT, OTHER):
        state = TenantChanged(request_id=str(uuid7()), name="Acme", email_enabled=True, max_channels=5)
        await made.tenants.put(_event(tenant, state))
    await made.channels.put(_event(TENANT, channel(**channel_changes)))
    for operator, name in ((ANA, "Ana"), (RUI, "Rui")):
        made.operators.kept[TENANT, operator] = OperatorChanged(operator_id=operator, name=name)
    return made


def settings(**changes: Any) -> ChannelSettings:
    """What an administrator set."""
    server = Server(host="mail.acme.test", port=465, security=Security.TLS, user_name="desk")
    imap = server.model_copy(update={"port": 993})
    made = ChannelSettings(name="Support", address="desk@acme.test", imap=imap, smtp=server, undo_seconds=7)
    return made.model_copy(update=changes)


def channel(**changes: Any) -> ChannelChanged:
    """A channel at version 3, with both secrets stored."""
    sealed = Credentials(imap=SealedSecret(jwe="i", sealed_version=2), smtp=SealedSecret(jwe="s", sealed_version=4))
    made = ChannelChanged(
        version=3, request_id=None, channel_id=CHANNEL, settings=settings(), credentials=sealed, created_at=NOW,
        changed_at=NOW,
    )  # fmt: skip
    return made.model_copy(update=changes)


def ana(*scopes: str, tenant: str = TENANT) -> Principal:
    """An operator; every scope but the platform's where none is named."""
    return Principal(tenant, "ana", ANA, frozenset(scopes or [one for one in SCOPES if one != "platform:tenants"]))


def rui(*scopes: str) -> Principal:
    """Another one."""
    return Principal(TENANT, "rui", RUI, frozenset(scopes or ["messages:send", "messages:interrupt"]))


def content(**changes: Any) -> Any:
    """What is written."""
    from services.gateway.domain.content import Content

    return replace(Content("Hello", "It leaves today.", None), **changes)


def token(*scopes: str, tenant: str = TENANT, sub: str = "ana", operator: str | None = ANA, **claims: Any) -> str:
    """A signed token; every scope where none is named."""
    said = {
        "iss": ISSUER, "aud": "malote", "exp": int(time.time()) + 600, "sub": sub, "tenant": tenant,
        "scope": " ".join(scopes or SCOPES), "operator": operator, **claims,
    }  # fmt: skip
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": "k1"}, said, SIGNER, algorithms=["ES256"])


async def jwks() -> bytes:
    """What the issuer publishes."""
    return json.dumps({"keys": [SIGNER.as_dict(private=False)]}).encode()


def tokens() -> Tokens:
    """Verifies against that issuer."""
    return Tokens(jwks, ISSUER)


class Http:
    """The gateway over HTTP; a fresh Idempotency-Key on every POST that names none."""

    def __init__(self, made: World) -> None:
        app = application(Door(tokens()), endpoints(made.use))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway.test")

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **parts: Any
    ) -> httpx.Response:
        """One request by ana with every scope."""
        given = {"Authorization": f"Bearer {token()}"} | ({"Idempotency-Key": str(uuid4())} if method == "POST" else {})
        return await self.client.request(method, path, json=body, headers={**given, **(headers or {})}, **parts)
