"""Every environment variable the gateway reads; prefix ``MALOTE_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from contracts import limits
from services.gateway.console.people import Person
from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Keys are read from files; ``egress_allow``: networks (CIDR) permitted although the table denies them.

    The console: ``console_keys`` seals sessions (without it they end with the process), ``oidc_…`` is where people sign
    in, ``console_people`` lets anybody be one of these, on a developer's own machine and nowhere else.
    """

    instance: str = "gateway-0"
    jwks_url: str
    issuer: str
    sealing_public: Path
    threading_keys: Path
    egress_allow: tuple[str, ...] = ()
    smtp_ports: tuple[int, ...] = ()
    imap_ports: tuple[int, ...] = ()
    allow_plain_smtp: bool = False
    accepted_per_tenant: int = limits.ACCEPTED_PER_TENANT
    console_keys: Path | None = None
    console_people: tuple[Person, ...] = ()
    console_support_url: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = "malote-console"
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_scope: str = "openid profile"
    oidc_resource: str = ""
