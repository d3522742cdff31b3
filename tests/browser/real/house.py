"""The real stack with everything around it that a desk needs: mailboxes, the client's server, and lines to cut.

console ── gateway … ingest ── `imap` (a line) ── GreenMail ◄── clients write here (`arrive`)
                   … outbox ── `smtp` (a line) ── `peer`, which records what clients get
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx

from deploy.local.infra.mail import add_user
from deploy.local.issuer import OPERATOR_SCOPES, OWNER_SCOPES
from services.kit.ids import uuid7
from tests.e2e.desk import Desk
from tests.infra.parts import OfParts
from tests.infra.proxy import Proxy
from tests.infra.smtp_peer import Peer, Settings, Tls
from tests.infra.smtp_peer.certificates import issue, server_context
from tests.infra.stack import Stack

EVERYTHING = ("config", "signature", "outbox", "ingest", "gateway")
PASSWORD, SUPPORT = "sandbox", "https://support.desk.test/help"
QUICK = {
    "MALOTE_DATA_LIMIT_S": "5",
    "MALOTE_DATA_MARGIN_S": "2",
    "MALOTE_RETRY_FIRST_S": "2",
    "MALOTE_RETRY_MAX_S": "3",
    "MALOTE_SESSION_TIMEOUT_S": "6",
}
NAMES = {"ana": "Ana Prado", "eva": "Eva Lima", "rui": "Rui Couto"}


@dataclass(frozen=True, slots=True)
class Team:
    """One tenant's people at the console: `ana` and `eva` are administrators, `rui` an operator."""

    name: str
    tenant: str = field(default_factory=lambda: str(uuid7()))
    operators: Mapping[str, str] = field(default_factory=lambda: {one: str(uuid7()) for one in NAMES})

    @property
    def address(self) -> str:
        """The mailbox this desk answers from."""
        return f"desk-{self.name.lower()}@acme.test"

    def sign_in_as(self, one: str) -> str:
        """How the sign-in page calls this person."""
        return f"{NAMES[one]} ({self.name})"

    def people(self) -> list[dict[str, str]]:
        """For the sign-in page of the local stack."""
        return [
            {
                "id": f"{one}-{self.name}", "name": self.sign_in_as(one), "tenant": self.tenant, "operator": operator,
                "role": "operator" if one == "rui" else "admin",
                "scope": " ".join(OPERATOR_SCOPES if one == "rui" else OWNER_SCOPES),
            }
            for one, operator in self.operators.items()
        ]  # fmt: skip


TEAMS = {name: Team(name) for name in ("en", "pt-BR", "more")}


class House(OfParts):
    """`async with House(folder, teams)`: everything runs; each team's tenant and operators stand, and its mailbox."""

    def __init__(self, folder: Path, teams: tuple[Team, ...]) -> None:
        super().__init__()
        self._folder, self._teams = folder, teams
        self.accounts = {team.address: PASSWORD for team in teams}
        self.imap, self.smtp, self.slow = Proxy(), Proxy(), Proxy()
        self.stack: Stack
        self.peer: Peer

    async def _start(self) -> None:
        certificates = issue(self._folder)
        accounts = Settings(tls=Tls.IMPLICIT, auth_required=True, accounts=self.accounts)
        self.peer = await Peer.start(accounts, context=server_context(certificates.good))
        self._open.push_async_callback(self.peer.stop)
        for line in (self.imap, self.smtp, self.slow):
            await self._open.enter_async_context(line)
        self.smtp.target = self.peer.port
        env = {
            **QUICK,
            "MALOTE_IMAP_CA_FILE": str(self._folder / "stack" / "data" / "mail" / "ca.pem"),
            "MALOTE_IMAP_PORTS": json.dumps([self.imap.port]),
            "MALOTE_CONSOLE_PEOPLE": json.dumps([one for team in self._teams for one in team.people()]),
            "MALOTE_CONSOLE_SUPPORT_URL": SUPPORT,
        }
        stack = Stack(
            EVERYTHING, env=env, smtp_ports=[self.smtp.port], ca_file=certificates.bundle,
            folder=self._folder / "stack", parts=("kafka", "mongo", "mail"),
        )  # fmt: skip
        self.stack = await self._open.enter_async_context(stack)
        self.imap.target, self.slow.target = stack.addresses.imaps[1], int(stack.gateway_url.rpartition(":")[2])
        for team in self._teams:
            await self._people(team)

    async def _people(self, team: Team) -> None:
        """What the platform and the tenant's own programs do before anybody opens the console."""
        async with self.desk(team) as desk:
            await desk.put_tenant(name=f"Acme {team.name}", max_channels=1)
            for one, operator in team.operators.items():
                body = {"name": NAMES[one], "email": f"{one}@acme.test", "active": True}
                await desk.ok("PUT", f"/v1/operators/{operator}", body)
        await add_user(self.stack.addresses.mail_api, team.address, PASSWORD)

    def desk(self, team: Team) -> Desk:
        """The team over REST: for what the platform does, and to prepare what is not the point of a test."""
        ids = team.operators
        http = httpx.AsyncClient(base_url=self.stack.gateway_url, timeout=20)
        return Desk(self.stack, http, team.tenant, ids["ana"], ids["rui"])

    async def connected(self, team: Team, **changes: Any) -> str:
        """A channel of the team prepared over REST, both directions connected; its id."""
        login = {"host": "127.0.0.1", "security": "tls", "user_name": team.address, "secret": PASSWORD}
        body = {
            "name": "Support", "address": team.address, "sender_name": "", "write_first": True, "undo_seconds": 0,
            "imap": {**login, "port": self.imap.port}, "smtp": {**login, "port": self.smtp.port}, **changes,
        }  # fmt: skip
        async with self.desk(team) as desk:
            made = await desk.ok("POST", "/v1/channels", body)
            path = f"/v1/channels/{made['channel_id']}"
            await desk.until(
                path, lambda seen: all(seen["status"][way]["state"] == "connected" for way in ("imap", "smtp"))
            )
            return str(made["channel_id"])

    async def arrive(self, to: str, sender: str, subject: str, text: str, **headers: str) -> None:
        """A client's mail program hands a mail to the desk's server."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        host, port = self.stack.addresses.smtp
        await aiosmtplib.send(mail, hostname=host, port=port, start_tls=False)
