"""The server: listens, keeps the mailboxes, tells its sessions of new mail."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum

from tests.infra.imap_peer.mailbox import Mail, Mailbox
from tests.infra.imap_peer.session import Quirk, Session

OFFERS = "IMAP4rev1 IDLE ID UIDPLUS SPECIAL-USE SASL-IR AUTH=PLAIN AUTH=XOAUTH2"


class Tls(StrEnum):
    """How TLS begins."""

    NONE = "none"
    IMPLICIT = "implicit"
    STARTTLS = "starttls"


class Peer:
    """One server; its quirks may be exchanged while it runs. ``seen`` counts commands by name, ``lines`` keeps them."""

    def __init__(self, quirks: Sequence[Quirk], tls: Tls, context: ssl.SSLContext | None, offers: str) -> None:
        self.quirks, self.tls, self.context, self.offers = list(quirks), tls, context, offers
        self.users = {"user": "secret"}
        self.inbox, self.sent = Mailbox(), Mailbox(uidvalidity=1_800_000_000)
        self.seen: Counter[str] = Counter()
        self.lines: list[str] = []
        self.sessions: set[Session] = set()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(
        cls,
        quirks: Sequence[Quirk] = (),
        *,
        tls: Tls = Tls.NONE,
        context: ssl.SSLContext | None = None,
        offers: str = OFFERS,
        port: int = 0,
    ) -> Peer:
        """Listen on a free loopback port, or on this one."""
        peer = cls(quirks, tls, context, offers)
        implicit = context if tls is Tls.IMPLICIT else None
        peer._server = await asyncio.start_server(peer._serve, "127.0.0.1", port, ssl=implicit, limit=64 * 1024 * 1024)
        peer.port = peer._server.sockets[0].getsockname()[1]
        return peer

    async def stop(self) -> None:
        """Stop listening, cut every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def append(self, octets: bytes, *, gap: int = 0, push: bool = True) -> Mail:
        """New mail in INBOX; those who listen are told."""
        mail = self.inbox.add(octets, gap=gap)
        if push:
            for session in self.sessions:
                session.tell()
        return mail

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session = Session(self, reader, writer)
        self.sessions.add(session)
        try:
            await session.run()
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            pass  # stop(): the streams' own callback takes a cancelled handler for an error
        finally:
            self.sessions.discard(session)
            self._tasks.discard(task)
            with suppress(Exception):
                writer.transport.abort()
