"""IMAP servers that are wrong in one way each, what the channel must say of it, and how it comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.infra.imap_peer import Peer, Quirk, quirks
from tests.infra.imap_peer.peer import OFFERS, Tls
from tests.infra.smtp_peer.certificates import Certificates, server_context

NEW = b"From: c@client.test\r\nSubject: during\r\n\r\nhello\r\n"
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Odd:
    """``make``: its quirk; ``state`` and ``reason`` it must be told with; ``asked``: it comes back only when somebody
    asks to reconnect; ``offers`` as in its greeting; ``first``: a mail comes before the state is looked at;
    ``expired``: its certificate is, and it never comes back."""

    name: str
    make: Callable[[], Quirk] | None
    state: str
    reason: str
    asked: bool = False
    offers: str = OFFERS
    first: bool = False
    expired: bool = False

    async def start(self, certificates: Certificates) -> Peer:
        """The server."""
        odd = [self.make()] if self.make else []
        if not self.expired:
            return await Peer.start(odd, offers=self.offers)
        return await Peer.start(odd, tls=Tls.IMPLICIT, context=server_context(certificates.expired))


ODD = (
    Odd("BYE in IDLE", lambda: quirks.bye_in_idle("Server shutting down"), "unreachable", "server_unavailable"),
    Odd("silent close in IDLE", lambda: quirks.bye_in_idle(""), "unreachable", "connection_lost"),
    Odd("close before +", lambda: quirks.closes("IDLE"), "unreachable", "connection_lost"),
    Odd("hang mid-literal", lambda: quirks.literal(100_000, b"Subject: half", hang=True), "unreachable", "timeout"),
    Odd("literal too long", lambda: quirks.literal(9, b"Subject: x\r\n\r\nbody"), "unreachable", "protocol_error"),
    Odd("literal too short", lambda: quirks.literal(5_000, b"Subject: x\r\n"), "unreachable", "timeout"),
    Odd("a million lines", lambda: quirks.floods("UID FETCH", MILLION), "unreachable", "protocol_error"),
    Odd("silence", lambda: quirks.silent("UID FETCH"), "unreachable", "timeout"),
    Odd("silent greeting", lambda: quirks.silent("GREETING"), "unreachable", "timeout"),
    Odd("PREAUTH", lambda: quirks.answers("GREETING", "* PREAUTH hello"), "unreachable", "protocol_error"),
    Odd("no UIDVALIDITY", lambda: quirks.answers("SELECT", "* 0 EXISTS", "* OK [UIDNEXT 1] next", "{tag} OK done"),
        "unreachable", "protocol_error"),
    Odd("expired certificate", None, "unreachable", "tls_certificate", expired=True),
    Odd("UNAVAILABLE", lambda: quirks.refuses("AUTHENTICATE", "[UNAVAILABLE] x"), "unreachable", "server_unavailable"),
    Odd("LIMIT", lambda: quirks.refuses("AUTHENTICATE", "[LIMIT] x"), "throttled", "rate_limited", asked=True),
    Odd("AUTHENTICATIONFAILED", lambda: quirks.refuses("AUTHENTICATE", "[AUTHENTICATIONFAILED] x"), "auth_failed",
        "authentication_failed", asked=True),
    Odd("NO without a code", lambda: quirks.refuses("AUTHENTICATE", "no"), "auth_failed", "refused_without_code",
        asked=True),
    Odd("SELECT refused", lambda: quirks.refuses("SELECT", "no"), "unreachable", "server_unavailable"),
    Odd("EXISTS during FETCH", lambda: quirks.mail_during_fetch(NEW), "connected", "none", first=True),
    Odd("without IDLE", None, "connected", "none", offers="IMAP4rev1 AUTH=PLAIN"),
)  # fmt: skip
