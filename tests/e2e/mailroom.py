"""A whole stack with ingest, a real Dovecot for the channels' mailboxes and a scripted SMTP peer: mail both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import builders
from tests.e2e.desk import Desk
from tests.infra.dovecot import PASSWORD, Dovecot
from tests.infra.imap_peer import Peer as ImapPeer
from tests.infra.inbound_ear import Ear
from tests.infra.parts import OfParts
from tests.infra.smtp_peer import Peer, Settings
from tests.infra.stack import EVERYTHING, Stack

QUICK = {
    "MALOTE_DATA_LIMIT_S": "3",
    "MALOTE_DATA_MARGIN_S": "1",
    "MALOTE_RETRY_FIRST_S": "0.5",
    "MALOTE_IMAP_TIMEOUT_S": "5",
}


class Mailroom(OfParts):
    """``async with`` from start to end. ``ear`` hears all that ingest says, ``desk`` and ``other`` are two
    tenants. ``imap_ports``: of more IMAP servers that channels may name."""

    def __init__(self, *imap_ports: int) -> None:
        super().__init__()
        self._imap_ports = imap_ports
        self.odd: dict[str, ImapPeer] = {}

    async def _start(self) -> None:
        self.dovecot = await self._open.enter_async_context(Dovecot())
        self.peer = await Peer.start(Settings())
        self._open.push_async_callback(self.peer.stop)
        own = {
            "MALOTE_IMAP_CA_FILE": str(self.dovecot.ca_file),
            "MALOTE_IMAP_PORTS": json.dumps([self.dovecot.imaps, *self._imap_ports]),
        }
        made = Stack((*EVERYTHING, "ingest"), env={**QUICK, **own}, smtp_ports=[self.peer.port], chaos=False)
        self.stack = await self._open.enter_async_context(made)
        self.ear = await self._open.enter_async_context(Ear(self.stack.kafka))
        self.desk, self.other = await self._desk(), await self._desk()

    async def _desk(self) -> Desk:
        return await self._open.enter_async_context(await Desk.open(self.stack))

    async def connected(self, *users: str, desk: Desk | None = None, **changes: Any) -> list[str]:
        """A channel for each of these users, made now; their ids once their mailboxes are watched."""
        await self.dovecot.add_users(users)
        made = [await self.channel(user, desk or self.desk, **changes) for user in users]
        assert await self.ear.connected(made, 20), [self.ear.states.get(each) for each in made]
        return made

    async def channel(self, user: str, desk: Desk, **changes: Any) -> str:
        """A channel that watches this user's INBOX; its id."""
        imap = builders.server(self.dovecot.imaps, PASSWORD, security="tls", user_name=user)
        return await desk.channel(self.peer.port, address=user, name=user, imap=imap, **changes)

    async def imap_channel(self, port: int, security: str, **changes: Any) -> str:
        """A channel that watches the mailbox of another server; its id, at once."""
        imap = builders.server(port, "secret", user_name="user", security=security)
        return await self.desk.channel(self.peer.port, imap=imap, **changes)

    def sent(self, user: str) -> list[bytes]:
        """What lies in this user's Sent mailbox, as it is stored."""
        folder = self.dovecot.home(user) / "Maildir" / ".Sent"
        return [file.read_bytes() for name in ("cur", "new") for file in sorted((folder / name).glob("*"))]

    def resident_mb(self, instance: str = "ingest-0") -> float:
        """The memory of this process alone, in MiB."""
        lines = Path(f"/proc/{self.stack.pids[instance]}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024
