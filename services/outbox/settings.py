"""Every environment variable the outbox reads."""

from __future__ import annotations

from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Prefix ``MALOTE_``.

    ``sealing_private``: path of a JWKS with the private keys. ``egress_allow``: CIDRs allowed although the deny table
    forbids them. ``smtp_ports``: allowed besides 465, 587 and 2525. ``data_limit_s``/``data_margin_s``: how long a
    transmission may take, and when others may step in. ``retry_first_s``/``retry_max_s``: the back-off of a deferred
    message. ``slots``, ``per_tenant``, ``per_host``: the most submissions at once, of this replica.
    """

    instance: str = "outbox-0"
    sealing_private: str = ""
    egress_allow: tuple[str, ...] = ()
    smtp_ports: tuple[int, ...] = ()
    allow_plain_smtp: bool = False
    smtp_ca_file: str = ""
    local_hostname: str = "localhost"
    data_limit_s: float = 300.0
    data_margin_s: float = 15.0
    retry_first_s: float = 60.0
    retry_max_s: float = 4 * 3600.0
    slots: int = 200
    per_tenant: int = 200
    per_host: int = 200
