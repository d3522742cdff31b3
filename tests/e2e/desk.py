"""A tenant at work over REST: one method a call, and waiting for what a person would wait for.

Paths and the names in answers are known here and nowhere else in these tests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from services.kit.ids import uuid7
from tests import builders
from tests.builders import Json
from tests.infra.stack import Stack

SCOPES = (
    "messages:send", "messages:interrupt", "messages:interrupt:any", "messages:resolve", "conversations:read",
    "conversations:write", "channels:read", "channels:write", "signatures:write", "operators:write",
)  # fmt: skip
FINAL = ("sent", "failed", "interrupted")


@dataclass(slots=True)
class Desk:
    """One tenant; `ana` and `rui` are its operators, `auth` is ana's token with every scope of a tenant."""

    stack: Stack
    http: httpx.AsyncClient
    tenant: str = field(default_factory=lambda: str(uuid7()))
    ana: str = field(default_factory=lambda: str(uuid7()))
    rui: str = field(default_factory=lambda: str(uuid7()))

    @classmethod
    async def open(cls, stack: Stack, **enabled: Any) -> Self:
        """Have the platform make the tenant, and the tenant its operators."""
        desk = cls(stack, httpx.AsyncClient(base_url=stack.gateway_url, timeout=20))
        await desk.put_tenant(**enabled)
        await desk.ok("PUT", f"/v1/operators/{desk.ana}", builders.operator("Ana Prado"))
        await desk.ok("PUT", f"/v1/operators/{desk.rui}", builders.operator("Rui Couto"))
        return desk

    async def __aenter__(self) -> Self:
        """Nothing: `open` did it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.http.aclose()

    def auth(self, *scopes: str, operator: str | None = None) -> dict[str, str]:
        """A token of this tenant; every scope where none is named, ana where nobody is."""
        return self.stack.auth(self.tenant, *(scopes or SCOPES), operator=operator or self.ana)

    async def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **parts: Any
    ) -> httpx.Response:
        """One request as it is; a fresh Idempotency-Key on every POST that names none."""
        own = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        given = {**own, **(headers if headers is not None else {})}
        if "Authorization" not in given:
            given |= self.auth()
        return await self.http.request(method, path, json=body, headers=given, **parts)

    async def ok(self, method: str, path: str, body: Any = None, **parts: Any) -> Json:
        """A request that must succeed; its JSON. Raises AssertionError with what was said instead.

        A settings change that its owner has not answered yet is waited for, where its Location says.
        """
        answer = await self.call(method, path, body, **parts)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:1500]}"
        found: Json = answer.json() if answer.content else {}
        if answer.status_code != 202 or found.get("state") != "pending":
            return found
        parts.pop("params", None)
        wish = await self.until(answer.headers["location"], lambda now: now["state"] != "pending", **parts)
        assert wish["state"] == "granted", wish
        return await self.ok("GET", wish["resource"], **parts)

    async def put_tenant(self, **enabled: Any) -> Json:
        """What the platform's program does."""
        platform = self.stack.auth(self.tenant, "platform:tenants")
        return await self.ok("PUT", f"/v1/tenants/{self.tenant}", builders.tenant(**enabled), headers=platform)

    async def channel(self, port: int, smtp: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Connect an account to a peer in clear text; its id."""
        made = await self.ok("POST", "/v1/channels", builders.channel(builders.server(port, **(smtp or {})), **changes))
        return str(made["channel_id"])

    async def connected(self, port: int, **changes: Any) -> str:
        """The same, and wait until its SMTP direction says connected."""
        channel_id = await self.channel(port, **changes)
        await self.smtp(channel_id, "connected")
        return channel_id

    async def smtp(self, channel_id: str, state: str, reason: str | None = None, within_s: float = 20) -> Json:
        """Wait until the SMTP direction is in this state (for this reason); the direction."""

        def true(seen: Json) -> bool:
            smtp = seen["status"]["smtp"]
            return bool(smtp["state"] == state and reason in (None, smtp["reason"]))

        seen = await self.until(f"/v1/channels/{channel_id}", true, within_s)
        found: Json = seen["status"]["smtp"]
        return found

    async def sign(self, channel_id: str, whose: str, template: Json) -> Json:
        """Write the signature of `default`, or of `operators/<id>`."""
        return await self.ok("PUT", f"/v1/channels/{channel_id}/signatures/{whose}", template)

    async def upload(self, octets: bytes, name: str = "logo.png", purpose: str = "signature_image") -> Json:
        """Upload a file; what it is."""
        about = {"file_name": name, "purpose": purpose}
        answer = await self.http.post("/v1/uploads", content=octets, params=about, headers=self.auth())
        assert answer.status_code == 201, answer.text
        found: Json = answer.json()
        return found

    async def switch(self, channel_id: str, *, operators_sign: bool, default_enabled: bool) -> Json:
        """Turn the two switches."""
        wanted = {"operators_sign": operators_sign, "default_enabled": default_enabled}
        return await self.ok("PUT", f"/v1/channels/{channel_id}/signatures/policy", wanted)

    async def start(self, channel_id: str, *clients: str, first: Json | None = None) -> Json:
        """Start a conversation; the whole answer."""
        return await self.ok("POST", "/v1/conversations", builders.conversation(channel_id, *clients, first=first))

    async def conversation(self, channel_id: str, *clients: str) -> str:
        """Start one without a message; its id."""
        return str((await self.start(channel_id, *clients))["conversation_id"])

    async def send(self, conversation_id: str, *, operator: str | None = None, **words: Any) -> str:
        """Send into a conversation; the message's id."""
        answer = await self.call(
            "POST", "/v1/messages", builders.message(conversation_id, **words), headers=self.auth(operator=operator)
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["message_id"])

    async def interrupt(self, message_id: str) -> httpx.Response:
        """Click on the eye."""
        return await self.call("POST", f"/v1/messages/{message_id}/interrupt")

    async def message(self, message_id: str) -> Json:
        """The message as people see it."""
        return await self.ok("GET", f"/v1/messages/{message_id}")

    async def reached(self, message_id: str, *statuses: str, within_s: float = 20) -> Json:
        """Wait until the message has one of these statuses (any final one where none is named)."""
        wanted = statuses or FINAL
        return await self.until(f"/v1/messages/{message_id}", lambda seen: seen["status"] in wanted, within_s)

    async def until(
        self, path: str, true: Callable[[Json], bool], within_s: float = 20, headers: Mapping[str, str] | None = None
    ) -> Json:
        """Read until `true` of what is read; raises AssertionError with the last reading."""
        limit = time.monotonic() + within_s
        while not true(seen := await self.ok("GET", path, headers=headers)):
            assert time.monotonic() < limit, f"{path} stayed {seen}"
            await asyncio.sleep(0.05)
        return seen
