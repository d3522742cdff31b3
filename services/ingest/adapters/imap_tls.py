"""TLS for IMAP: one context, and the sessions that later connections to the same server take up again.

Resuming saves a third of a login's CPU and the memory of the server's certificates in each connection (FINDINGS). The
name is part of the key: a session stands for a certificate that was verified for that name.
"""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from typing import Final

Peer = tuple[str, int, str]
"""Address, port, name."""
MOST: Final = 10_000
LIFE_S: Final = 3600.0
"""A certificate is verified anew at least so often."""
_FRESH_S: Final = 600.0


def tls_context(extra_ca_file: str | None = None) -> ssl.SSLContext:
    """The one context of the process: system roots, certificate and name verified, TLS 1.2 at least, no renegotiation.

    ``extra_ca_file``: a PEM bundle trusted besides. Raises OSError where it can't be read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    if extra_ca_file:
        context.load_verify_locations(cafile=extra_ca_file)
    return context


class TlsSessions:
    """The last session of each peer, at most MOST of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Peer, tuple[ssl.SSLSession, float, float]] = OrderedDict()

    def of(self, peer: Peer) -> ssl.SSLSession | None:
        """One that may still be taken up."""
        session, _, verified = self._kept.get(peer, (None, 0.0, 0.0))
        return session if time.monotonic() - verified < LIFE_S else None

    def wants(self, peer: Peer) -> bool:
        """Whether a newer one would be kept."""
        kept = self._kept.get(peer)
        return kept is None or time.monotonic() - kept[1] >= _FRESH_S

    def keep(self, peer: Peer, session: ssl.SSLSession | None, *, resumed: bool) -> None:
        """Remember what a connection was given; a resumed one was verified when the first of its line was."""
        now = time.monotonic()
        if session is None or not session.has_ticket:
            return
        verified = self._kept[peer][2] if resumed and peer in self._kept else now
        self._kept[peer] = (session, now, verified)
        self._kept.move_to_end(peer)
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def forget(self, peer: Peer) -> None:
        """A handshake with it failed."""
        self._kept.pop(peer, None)
