"""The demonstration desk: a tenant with an owner and two operators, a connected channel, and a client's mailbox.

Made over REST like anybody's, with the same ids each time, so that a second `make run` finds the first one's desk.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.infra.mail import add_user
from deploy.local.issuer import OPERATOR_SCOPES, OWNER_SCOPES, PLATFORM_SCOPES, mint
from deploy.local.roster import World

TENANT = uuid.UUID("01932f4e-7000-7000-8000-00000000d35c")
OPERATORS = {
    "ana": uuid.UUID("01932f4e-7000-7000-8000-0000000000a1"),
    "rui": uuid.UUID("01932f4e-7000-7000-8000-0000000000b2"),
}
NAMES = {"ana": "Ana Prado", "rui": "Rui Couto"}
MAILBOXES = {"desk": "desk@acme.test", "client": "carla@client.test", "second": "davi@client.test"}
PASSWORD = "sandbox"


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody needs to play: `tokens` by role, `mailboxes` by role, the channel's id."""

    tenant: str
    channel: str
    tokens: dict[str, str]

    def described(self) -> dict[str, Any]:
        """Its part of `.local/run.json`."""
        mailboxes = {role: {"address": at, "user": at, "password": PASSWORD} for role, at in MAILBOXES.items()}
        operators = {name: str(identity) for name, identity in OPERATORS.items()}
        return {
            "tenant": self.tenant,
            "channel": self.channel,
            "operators": operators,
            "tokens": self.tokens,
            "mailboxes": mailboxes,
        }

    def greeting(self, gateway: str, seconds: float, report: Path) -> str:
        """The last words of `make run`."""
        tokens = "\n".join(f"    {role:<9}{token}" for role, token in self.tokens.items())
        mailboxes = "\n".join(f"    {role:<9}{address}  (password {PASSWORD})" for role, address in MAILBOXES.items())
        return (
            f"\nReady after {seconds:.1f} s: {gateway}  (OpenAPI: {gateway}/docs)\n"
            f"  tenant   {self.tenant}\n  channel  {self.channel}  ({MAILBOXES['desk']})\n"
            f"  tokens\n{tokens}\n  mailboxes\n{mailboxes}\n"
            f"  the same, for scripts: {report}\n  the whole story: make demo\n"
        )


async def open_mailboxes(mail_api: str) -> None:
    """The sandbox mail server starts empty each time: make its users again."""
    for address in MAILBOXES.values():
        await add_user(mail_api, address, PASSWORD)


async def open_desk(gateway: str, world: World) -> Desk:
    """Make or find the desk; raises httpx errors with the gateway's answer."""
    raise NotImplementedError
