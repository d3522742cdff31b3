"""A tenant with channels and conversations, made and used over REST as any program would.

All knowledge of the REST shapes is in this file.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from services.kit.ids import uuid7
from tests.chaos.history import Accepted, Reply, Wish
from tests.chaos.http import Answer, Broken, Pool
from tests.infra.stack import Stack

SCOPES = (
    "messages:send", "messages:interrupt", "messages:interrupt:any", "messages:resolve", "conversations:read",
    "conversations:write", "channels:read", "channels:write", "signatures:write", "operators:write",
)  # fmt: skip
TEXT = "A line of text that says nothing in particular, eighty octets with its end..\n" * 13


class Refused(Exception):
    """The gateway refused what the test cannot do without."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of the desk: the client's address says how the peer treats it."""

    channel_id: str
    conversation_id: str
    client: str


@dataclass(slots=True)
class Desk:
    """One tenant, ready to send."""

    tenant: str
    pool: Pool
    headers: Mapping[str, str]
    channels: list[str] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    _wishes: count[int] = field(default_factory=count)

    @classmethod
    async def open(cls, stack: Stack, name: str, max_channels: int = 500, connections: int = 50) -> Desk:
        """Make a tenant and one operator; raises Refused when the gateway does not want it."""
        tenant, operator = str(uuid7()), str(uuid7())
        pool = Pool(stack.gateway_url, connections)
        desk = cls(tenant, pool, stack.auth(tenant, *SCOPES, operator=UUID(operator)))
        platform = stack.auth(tenant, "platform:tenants")
        wanted = {"name": name, "email_enabled": True, "max_channels": max_channels}
        await desk.settled("PUT", f"/v1/tenants/{tenant}", wanted, platform)
        person = {"name": "Ana Prado", "email": "ana@desk.test", "active": True}
        await desk.settled("PUT", f"/v1/operators/{operator}", person)
        return desk

    async def settled(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, within_s: float = 30
    ) -> Any:
        """A request that must succeed, tried again while the gateway says 202, 404 (not yet known) or 503."""
        limit = time.monotonic() + within_s
        own = {"Idempotency-Key": str(uuid4())} | dict(headers or self.headers)
        while True:
            answer = await self.pool.request(method, path, own, body)
            if answer.status in (200, 201, 202, 204):
                return answer.json()
            if answer.status not in (404, 409, 429, 503) or time.monotonic() > limit:
                raise Refused(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
            await asyncio.sleep(0.2)

    async def add_channel(
        self, smtp_port: int, *, undo_seconds: int = 0, connections: int = 4, number: int = 0, **smtp: Any
    ) -> str:
        """A channel that submits in clear text to a peer on this machine; returns its id."""
        server = {"host": "127.0.0.1", "security": "none", "user_name": "desk", "auth": "password"}
        wanted = {
            "name": f"channel {number}",
            "address": f"desk{number}@desk.test",
            "sender_name": "The Desk",
            "smtp": {**server, "port": smtp_port, "secret": "s3cret", **smtp},
            "imap": {**server, "port": 143, "secret": "s3cret"},
            "undo_seconds": undo_seconds,
            "connections": connections,
        }
        made = await self.settled("POST", "/v1/channels", wanted)
        self.channels.append(made["channel_id"])
        return self.channels[-1]

    async def add_conversation(self, channel_id: str, client: str) -> Conversation:
        """Start a conversation without a message."""
        wanted = {"channel_id": channel_id, "clients": [{"address": client}]}
        made = await self.settled("POST", "/v1/conversations", wanted)
        conversation = Conversation(channel_id, made["conversation_id"], client)
        self.conversations.append(conversation)
        return conversation

    async def send(
        self, conversation: Conversation, *, key: str | None = None, shape: str = "plain", text: str = TEXT
    ) -> Accepted | Answer:
        """Send one message; Accepted on 202, else the answer. Raises Broken when nobody knows."""
        wanted = {"conversation_id": conversation.conversation_id, "subject": "About your order", "text": text}
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        answer = await self.pool.request("POST", "/v1/messages", headers, wanted)
        if answer.status != 202:
            return answer
        return Accepted(self.tenant, answer.json()["message_id"], (conversation.client,), time.time(), shape)

    async def send_for_sure(self, conversation: Conversation, shape: str = "plain", within_s: float = 60) -> Accepted:
        """Send with one idempotency key until it is accepted, whatever is killed meanwhile."""
        key, limit, last = str(uuid4()), time.monotonic() + within_s, ""
        while time.monotonic() < limit:
            try:
                sent = await self.send(conversation, key=key, shape=shape)
            except Broken as broken:
                last = str(broken)
            else:
                if isinstance(sent, Accepted):
                    return sent
                last = f"{sent.status} {sent.body[:300]!r}"
                if sent.status < 429:
                    break
            await asyncio.sleep(0.1)
        raise Refused(f"message not accepted: {last}")

    async def interrupt(self, message_id: str, shape: str = "race", *, foreign: bool = False) -> tuple[Wish, Reply]:
        """Interrupt over REST; a broken connection is a reply with code 0."""
        wish = Wish(
            f"{self.tenant}/{next(self._wishes)}", self.tenant, message_id, "rest", time.time(), None, foreign, shape
        )
        try:
            answer = await self.pool.request("POST", f"/v1/messages/{message_id}/interrupt", self.headers)
        except Broken:
            return wish, Reply(wish.wish, time.time(), 0)
        said = answer.json() or {}
        status = said.get("message_status", said.get("reached"))
        return wish, Reply(wish.wish, time.time(), answer.status, said.get("outcome"), status, said.get("cancel_id"))

    async def reconnect(self, channel_id: str) -> bool:
        """Ask for a reconnect; whether config answered within the gateway's patience. Raises Broken."""
        answer = await self.pool.request("POST", f"/v1/channels/{channel_id}/reconnect", self.headers)
        return answer.status == 200

    async def wait_connected(self, within_s: float = 60) -> None:
        """Wait until every channel's SMTP direction says connected; raises Refused when time runs out."""
        waiting, limit = set(self.channels), time.monotonic() + within_s
        while waiting and time.monotonic() < limit:
            for channel_id in list(waiting):
                answer = await self.pool.request("GET", f"/v1/channels/{channel_id}", self.headers)
                if answer.status == 200 and answer.json()["status"]["smtp"]["state"] == "connected":
                    waiting.discard(channel_id)
            await asyncio.sleep(0.2)
        if waiting:
            raise Refused(f"{len(waiting)} channels did not connect")
