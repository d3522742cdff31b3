"""Every environment variable ingest reads."""

from __future__ import annotations

from services.kit.settings import KitSettings


class Settings(KitSettings):
    """Prefix ``MALOTE_``.

    ``sealing_private``: path of a JWKS with the private keys. ``threading_keys``: path of the ring of threading keys.
    ``egress_allow``: CIDRs allowed although the deny table forbids them. ``imap_ports``: allowed besides 143 and 993.
    ``allow_plain_imap``: whether security "none" is accepted. ``imap_ca_file``: more roots for their certificates.
    ``parsers``: children that read mails. ``inbound_days``: how long mails are kept; ``ledger_days``: how long they
    are known again. ``logins_per_s``/``logins_at_once``/``connections_per_host`` (0: no limit, else mailboxes
    take turns). ``memory_mb``: mails held at once, of this replica. ``imap_timeout_s``: a server that says nothing for
    so long within a command is given up.
    """

    instance: str = "ingest-0"
    sealing_private: str = ""
    threading_keys: str = ""
    egress_allow: tuple[str, ...] = ()
    imap_ports: tuple[int, ...] = ()
    allow_plain_imap: bool = False
    imap_ca_file: str = ""
    parsers: int = 2
    inbound_days: int = 35
    ledger_days: int = 400
    logins_per_s: float = 150.0
    logins_at_once: int = 32
    connections_per_host: int = 0
    memory_mb: int = 64
    imap_timeout_s: float = 30.0
