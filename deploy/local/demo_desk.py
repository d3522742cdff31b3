"""The demonstration desk: a tenant's owner, supervisor and operator, a connected channel, and clients' mailboxes.

Made over REST like anybody's, with the same ids each time, so that a second `make run` finds the first one's desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.api import Api
from deploy.local.infra.mail import add_user
from deploy.local.issuer import OPERATOR_SCOPES, OWNER_SCOPES, PLATFORM_SCOPES, SUPERVISOR_SCOPES, mint
from deploy.local.roster import World

TENANT = "01932f4e-7000-7000-8000-00000000d35c"
OPERATORS = {
    "ana": "01932f4e-7000-7000-8000-0000000000a1",
    "rui": "01932f4e-7000-7000-8000-0000000000b2",
    "joana": "01932f4e-7000-7000-8000-0000000000c3",
}
NAMES = {"ana": "Ana Prado", "rui": "Rui Couto", "joana": "Joana Reis"}
MAILBOXES = {"desk": "desk@acme.test", "client": "carla@client.test", "second": "davi@client.test"}
PASSWORD = "sandbox"
ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ana": ("admin", OWNER_SCOPES),
    "rui": ("operator", OPERATOR_SCOPES),
    "joana": ("supervisor", SUPERVISOR_SCOPES),
}
"""Who they are at the console, and what they may do there."""


def people() -> list[dict[str, str]]:
    """The desk's people for the console's sign-in page."""
    return [
        {
            "id": one, "name": NAMES[one], "role": role, "tenant": TENANT, "operator": OPERATORS[one],
            "scope": " ".join(scopes),
        }
        for one, (role, scopes) in ROLES.items()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody needs to play: the channel's id, `tokens` by role."""

    channel: str
    tokens: dict[str, str]

    def described(self) -> dict[str, Any]:
        """Its part of `.local/run.json`."""
        mailboxes = {role: {"address": at, "user": at, "password": PASSWORD} for role, at in MAILBOXES.items()}
        return {
            "tenant": TENANT,
            "channel": self.channel,
            "operators": OPERATORS,
            "tokens": self.tokens,
            "mailboxes": mailboxes,
        }

    def greeting(self, gateway: str, seconds: float, report: Path) -> str:
        """The last words of `make run`."""
        tokens = "\n".join(f"    {role:<9}{token}" for role, token in self.tokens.items())
        mailboxes = "\n".join(f"    {role:<9}{address}  (password {PASSWORD})" for role, address in MAILBOXES.items())
        return (
            f"\nReady after {seconds:.1f} s: {gateway}  (OpenAPI: {gateway}/openapi.json)\n"
            f"  tenant   {TENANT}\n  channel  {self.channel}  ({MAILBOXES['desk']})\n"
            f"  tokens\n{tokens}\n  mailboxes\n{mailboxes}\n"
            f"  the same, for scripts: {report}\n  the whole story: make demo\n"
        )


async def open_mailboxes(mail_api: str) -> None:
    """The sandbox mail server starts empty each time: make its users again."""
    for address in MAILBOXES.values():
        await add_user(mail_api, address, PASSWORD)


def tokens(world: World) -> dict[str, str]:
    """One token a role: the tenant's owner, its operators (Joana as supervisor), the platform's engineer."""
    key, issuer = world.keys.issuer, world.issuer
    by_operator = {
        name: mint(
            key, issuer, TENANT, SUPERVISOR_SCOPES if name == "joana" else OPERATOR_SCOPES, sub=name, operator=identity
        )
        for name, identity in OPERATORS.items()
    }
    return {
        "owner": mint(key, issuer, TENANT, OWNER_SCOPES, sub="owner", operator=OPERATORS["ana"]),
        **by_operator,
        "platform": mint(key, issuer, TENANT, PLATFORM_SCOPES, sub="platform"),
    }


def channel_settings(smtp_port: int, imap_port: int, address: str, name: str, undo_seconds: int) -> dict[str, Any]:
    """A channel on the sandbox mail server, logging in with the sandbox password over TLS."""
    login = {"host": "127.0.0.1", "security": "tls", "user_name": address, "secret": PASSWORD}
    return {
        "name": name,
        "address": address,
        "sender_name": "Acme",
        "imap": {**login, "port": imap_port},
        "smtp": {**login, "port": smtp_port},
        "undo_seconds": undo_seconds,
    }


async def open_desk(gateway: str, world: World) -> Desk:
    """Make or find the desk; raises `Differs` with the gateway's answer."""
    held = tokens(world)
    await Api(gateway, held["platform"]).put(
        f"/v1/tenants/{TENANT}", {"name": "Acme", "email_enabled": True, "max_channels": 50}
    )
    owner = Api(gateway, held["owner"])
    for name, identity in OPERATORS.items():
        person = {"name": NAMES[name], "email": f"{name}@acme.test", "active": True}
        await owner.put(f"/v1/operators/{identity}", person)
    return Desk(await _channel(owner, world), held)


async def _channel(owner: Api, world: World) -> str:
    """The desk's channel: made once, led to the mail server's present ports when those moved."""
    smtp, imap = world.addresses.smtps[1], world.addresses.imaps[1]
    wanted = channel_settings(smtp, imap, MAILBOXES["desk"], "Acme desk", 10)
    known = [one for one in (await owner.get("/v1/channels"))["items"] if one["address"] == wanted["address"]]
    if not known:
        made = await owner.post("/v1/channels", wanted)
        return str(made["channel_id"])
    channel = str(known[0]["channel_id"])
    if (known[0]["smtp"]["port"], known[0]["imap"]["port"]) != (smtp, imap):
        found = await owner.call("GET", f"/v1/channels/{channel}", (200,))
        await owner.put(f"/v1/channels/{channel}", wanted, found.headers["ETag"])
    return channel
