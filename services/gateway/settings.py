"""Every environment variable the gateway reads; prefix ``MALOTE_``."""

from __future__ import annotations

from pathlib import Path

from contracts import limits
from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Keys are read from files; ``egress_allow``: networks (CIDR) permitted although the table denies them."""

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
