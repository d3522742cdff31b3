"""Throw-away certificates for the peer: a good one, an expired one, one for another name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files (key and chain) and the bundle a client must trust to accept the good one."""

    bundle: Path
    good: Path
    expired: Path
    wrong_name: Path


def issue(folder: Path, *names: str) -> Certificates:
    """Make a fresh authority in `folder` and certificates for `names` (default: localhost and 127.0.0.1)."""
    names = names or ("localhost", "127.0.0.1")
    authority = trustme.CA()
    past = datetime.now(UTC) - timedelta(days=2)
    made = Certificates(folder / "ca.pem", folder / "good.pem", folder / "expired.pem", folder / "wrong.pem")
    authority.cert_pem.write_to_path(str(made.bundle))
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(made.good))
    expired = authority.issue_cert(*names, not_before=past - timedelta(days=9), not_after=past)
    expired.private_key_and_cert_chain_pem.write_to_path(str(made.expired))
    other = authority.issue_cert("other.test")
    other.private_key_and_cert_chain_pem.write_to_path(str(made.wrong_name))
    return made


def server_context(pem: Path) -> ssl.SSLContext:
    """A server's context from one of the PEM files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
