"""Accounts with sealed secrets, and the Mailboxes that can open them."""

from __future__ import annotations

import ssl
from collections.abc import Collection
from ipaddress import ip_network
from pathlib import Path

from services.ingest.adapters.imap import ImapMailboxes
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.imap_tls import tls_context
from services.ingest.domain.account import Account
from services.kit.egress import Egress
from services.kit.sealing import Binding, Opener, Sealer, new_keypair

TENANT, CHANNEL = "0190c000-0000-7000-8000-000000000001", "0190c000-0000-7000-8000-000000000002"
_PUBLIC, _PRIVATE = new_keypair()
_SEALER, _OPENER = Sealer(_PUBLIC), Opener(_PRIVATE)
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
FAST = Timing(open_s=2.0, command_s=0.6, plus_s=0.4, renew_s=(60.0, 60.0), poll_s=0.1)


def account(
    port: int,
    user_name: str = "user",
    password: str = "secret",
    *,
    host: str = "localhost",
    security: str = "none",
    auth: str = "password",
    sealed_for: str | None = None,
) -> Account:
    """An account of this server; ``sealed_for`` another user name makes the seal one for somebody else."""
    bound = Binding(TENANT, CHANNEL, "imap", host, port, security, sealed_for or user_name, 1)
    field = "access_token" if auth == "oauth2" else "password"
    return Account(
        tenant=TENANT, channel_id=CHANNEL, version=1, address="user@mail.test", host=host, port=port,
        security=security, user_name=user_name, auth=auth, sealed=_SEALER.seal({field: password}, bound=bound),
        sealed_version=1,
    )  # fmt: skip


def mailboxes(
    ports: Collection[int],
    ca_file: Path | None = None,
    timing: Timing = FAST,
    *,
    allow: bool = True,
    plain: bool = True,
    context: ssl.SSLContext | None = None,
) -> ImapMailboxes:
    """Mailboxes that may go to loopback (unless not ``allow``) and trust this authority."""
    egress = Egress(LOOPBACK if allow else ())
    made = context or tls_context(str(ca_file) if ca_file else None)
    return ImapMailboxes(egress, _OPENER, made, ports, plain, timing)
