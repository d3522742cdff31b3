"""The stage of inbound runs: a real Dovecot, Kafka, MongoDB, ingest alone; channels come as config would say them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.channel import Auth, ChannelChanged, ChannelSettings, Credentials, SealedSecret, Security, Server
from contracts.event import Event, event
from services.kit.ids import uuid7
from services.kit.publisher import Publisher
from services.kit.sealing import Binding, Sealer
from tests.infra.dovecot import NAME, PASSWORD, Dovecot, installed
from tests.infra.inbound_ear import Ear
from tests.infra.parts import OfParts
from tests.infra.stack import Stack


@dataclass(frozen=True, slots=True)
class Box:
    """One channel and the user whose INBOX it watches."""

    tenant: str
    channel_id: str
    user: str


class InboundStage(OfParts):
    """``async with`` from start to end; ``ear`` hears everything said since the start."""

    def __init__(self, replicas: int = 1, env: Mapping[str, str] | None = None, *, chaos: bool = False) -> None:
        if not installed():
            raise SystemExit("Dovecot is needed (as root): apt-get install dovecot-imapd dovecot-lmtpd")
        super().__init__()
        self._replicas, self._env, self._chaos = replicas, dict(env or {}), chaos
        self._users = 0

    async def _start(self) -> None:
        self.dovecot = await self._open.enter_async_context(Dovecot())
        own = {
            "MALOTE_IMAP_CA_FILE": str(self.dovecot.ca_file),
            "MALOTE_IMAP_PORTS": json.dumps([self.dovecot.imap, self.dovecot.imaps]),
            "MALOTE_EGRESS_ALLOW": json.dumps(["127.0.0.0/8", "::1/128"]),
        }
        stack = Stack({"ingest": self._replicas}, env={**own, **self._env}, chaos=self._chaos)
        self.stack = await self._open.enter_async_context(stack)
        self.ear = await self._open.enter_async_context(Ear(self.stack.kafka))
        self._publisher = Publisher(self.stack.kafka, "stage")
        await self._publisher.start()
        self._open.push_async_callback(self._publisher.stop)
        self._sealer = Sealer(json.loads(self.stack.keys.sealing_public.read_text()))

    async def add_boxes(self, number: int, tenant: str | None = None) -> list[Box]:
        """Fresh users, and a channel that watches each; not waited for."""
        boxes = await self.make_users(number, tenant)
        await self.announce(boxes)
        return boxes

    async def make_users(self, number: int, tenant: str | None = None) -> list[Box]:
        """Users alone, their channels not yet known to anybody."""
        tenant = tenant or str(uuid7())
        made = [Box(tenant, str(uuid7()), f"user{self._users + n}@mail.test") for n in range(number)]
        self._users += number
        await self.dovecot.add_users([box.user for box in made])
        return made

    async def announce(self, boxes: Sequence[Box], version: int = 1, **changes: object) -> None:
        """Say what config would say of these channels."""
        await asyncio.gather(*(self._publisher.publish(self._said(box, version, changes)) for box in boxes))

    def _said(self, box: Box, version: int, changes: Mapping[str, object]) -> Event[ChannelChanged]:
        port, now = self.dovecot.imaps, datetime.now(UTC)
        imap = Server(host=NAME, port=port, security=Security.TLS, user_name=box.user, auth=Auth.PASSWORD)
        smtp = Server(host=NAME, port=465, security=Security.TLS, user_name=box.user)
        bound = Binding(box.tenant, box.channel_id, "imap", NAME, port, "tls", box.user, 1)
        sealed = SealedSecret(jwe=self._sealer.seal({"password": PASSWORD}, bound=bound), sealed_version=1)
        changed = ChannelChanged(
            version=version, request_id=None, channel_id=box.channel_id,
            settings=ChannelSettings(name=box.user, address=box.user, imap=imap, smtp=smtp),
            credentials=Credentials(imap=sealed), created_at=now, changed_at=now,
        )  # fmt: skip
        return event(box.tenant, changed.model_copy(update=dict(changes)), at=now, source="config")
