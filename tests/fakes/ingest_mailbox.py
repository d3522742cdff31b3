"""A mail server in memory, and a gate that stops a whole process at any step of its work."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import getaddresses, parseaddr
from typing import Any, cast

from services.ingest.domain.account import Account
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.parsed import Address, Attached, Bounce, Failure, Parsed, Unparsable
from services.ingest.domain.session import (
    HEAD_OCTETS,
    Fetched,
    Listed,
    LostConnection,
    NotOpen,
    Opened,
    Quiet,
    Streamed,
    Woken,
)
from services.ingest.ports import Hold, MailSession

LOST = Trouble(Stage.WATCH, Sign.LOST)
BORN = datetime(2026, 1, 1, tzinfo=UTC)


def mail(subject: str, *headers: str, sender: str = "Client <client@far.test>", body: str = "Good day.") -> bytes:
    """A small mail; its Message-ID is made of the subject unless a header gives one."""
    own = () if any(header.startswith("Message-ID:") for header in headers) else (f"Message-ID: <{subject}@far.test>",)
    lines = (f"From: {sender}", "To: desk@acme.test", f"Subject: {subject}", *own, *headers, "", body, "")
    return "\r\n".join(lines).encode()


@dataclass
class FakeServer:
    """One mailbox. ``broken``: UIDs listed without a body; ``refuses``: what opening says instead of a session;
    ``drops``: so many sessions are lost when they listen; ``claims``: other sizes than the true ones, by UID."""

    uidvalidity: int | None = 1
    uidnext: int = 1
    mails: dict[int, tuple[bytes, datetime]] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    refuses: list[Trouble] = field(default_factory=list)
    drops: int = 0
    claims: dict[int, int] = field(default_factory=dict)
    sessions: list[FakeSession] = field(default_factory=list)
    opened: int = 0
    fetched: list[int] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def add(self, octets: bytes, at: datetime = BORN + timedelta(hours=1)) -> int:
        """A mail arrives; everybody who listens hears it."""
        uid, self.uidnext = self.uidnext, self.uidnext + 1
        self.mails[uid] = (octets, at)
        for session in self.sessions:
            session.heard.set()
        return uid

    def renumber(self, uidvalidity: int) -> None:
        """Another UIDVALIDITY: the same mails under new UIDs; sessions are lost."""
        kept = list(self.mails.values())
        self.uidvalidity, self.mails = uidvalidity, dict(enumerate(kept, 1))
        self.uidnext = len(kept) + 1
        self.lose()

    def lose(self) -> None:
        """Every session is lost."""
        for session in self.sessions:
            session.lost = True
            session.heard.set()

    async def open(self, account: Account) -> MailSession | NotOpen:
        """See Mailboxes."""
        await asyncio.sleep(0)
        self.opened += 1
        if self.refuses:
            return NotOpen(self.refuses.pop(0))
        session = FakeSession(self)
        self.sessions.append(session)
        return session


class FakeSession:
    """The MailSession port."""

    def __init__(self, server: FakeServer) -> None:
        self.server, self.lost, self.heard, self.closed = server, False, asyncio.Event(), False
        self.opened = Opened(server.uidvalidity, server.uidnext, len(server.mails), near=True)

    async def _turn(self) -> None:
        await asyncio.sleep(0)
        if self.lost:
            raise LostConnection(LOST)
        assert not self.closed

    def _above(self, uid: int, limit: int) -> list[int]:
        return [each for each in sorted(self.server.mails) if each > uid][:limit]

    async def list_above(self, uid: int, limit: int) -> Sequence[Listed]:
        """See MailSession."""
        await self._turn()
        found = self._above(uid, limit)
        return [Listed(each, len(self.server.mails[each][0]), self.server.mails[each][1]) for each in found]

    async def fetch_above(self, uid: int, limit: int) -> Sequence[Fetched]:
        """See MailSession."""
        self.heard.clear()
        return await self.fetch(self._above(uid, limit))

    async def fetch(self, uids: Sequence[int]) -> Sequence[Fetched]:
        """See MailSession."""
        await self._turn()
        self.server.fetched += uids
        return [self._fetched(uid) for uid in uids if uid in self.server.mails]

    def _fetched(self, uid: int) -> Fetched:
        octets, at = self.server.mails[uid]
        size, broken = self.server.claims.get(uid, len(octets)), uid in self.server.broken
        return Fetched(uid, size, at, None if broken else octets[:HEAD_OCTETS])

    async def fetch_rest(self, uid: int, offset: int, length: int) -> bytes | None:
        """See MailSession."""
        await self._turn()
        return self.server.mails[uid][0][offset : offset + length] if uid in self.server.mails else None

    async def listen(self) -> None:
        """See MailSession."""
        await self._turn()
        if self.server.drops:
            self.server.drops -= 1
            self.lost = True
            raise LostConnection(LOST)

    async def wait(self, seconds: float) -> Woken | Quiet:
        """See MailSession; no longer than a few milliseconds."""
        try:
            async with asyncio.timeout(0.003):
                await self.heard.wait()
        except TimeoutError:
            await self._turn()
            return Quiet()
        await self._turn()
        return Woken()

    async def glance(self, seconds: float) -> Woken | Quiet:
        """See MailSession."""
        return await self.wait(seconds)

    async def find_in_sent(self, internet_message_id: str) -> bool | None:
        """See MailSession."""
        await self._turn()
        return any(internet_message_id.encode() in octets for octets in self.server.sent)

    async def append_to_sent(self, octets: Streamed, at: datetime) -> bool:
        """See MailSession."""
        await self._turn()
        self.server.sent.append(b"".join([piece async for piece in octets.pieces]))
        return True

    async def close(self) -> None:
        """See MailSession."""
        self.closed = True
        if self in self.server.sessions:
            self.server.sessions.remove(self)


@dataclass
class FakeParser:
    """Reads what ``mail`` writes; a body of ``unparsable`` is, one of ``bug`` raises."""

    async def parse_all(self, mails: Sequence[bytes]) -> list[Parsed | Unparsable]:
        """See Parser."""
        await asyncio.sleep(0)
        return [self._parse(octets) for octets in mails]

    async def parse_held(self, size: int, octets: AsyncIterator[bytes], hold: Hold) -> Parsed | Unparsable:
        """See Parser; what follows ``attached:`` in the body is held."""
        whole = b"".join([piece async for piece in octets])
        if len(whole) != size:
            raise ValueError("not what was said")
        found, content = self._parse(whole), whole.partition(b"attached:")[2]
        if isinstance(found, Unparsable) or not content:
            return found
        return replace(found, attachments=(Attached("a.bin", "application/zip", b"", held=await hold(once(content))),))

    def _parse(self, octets: bytes) -> Parsed | Unparsable:
        read = message_from_bytes(octets)
        text = str(read.get_payload())
        if text.startswith("unparsable"):
            return Unparsable("cpu")
        if text.startswith("bug"):
            raise KeyError("bug")
        name, address = parseaddr(read.get("From", ""))
        returned = read.get("X-Returned")
        bounce = Bounce((Failure("gone@far.test", status="5.1.1"),), returned) if returned else None
        return Parsed(
            read.get("Message-ID"), _ids(read.get("In-Reply-To")), _ids(read.get("References")),
            sender=Address(address, name), to=tuple(Address(a, n) for n, a in getaddresses(read.get_all("To", []))),
            subject=read.get("Subject", ""), text=text, auto=cast(Any, read.get("X-Auto", "none")), bounce=bounce,
        )  # fmt: skip


async def once(content: bytes) -> AsyncIterator[bytes]:
    """The content, in one piece."""
    yield content


def _ids(header: str | None) -> tuple[str, ...]:
    return tuple((header or "").split())


class Gate:
    """Stops a process at its n-th step, before or after an effect; ``stopped`` says that it stands still."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at, self.steps = stop_at, 0
        self.stopped, self.go_on = asyncio.Event(), asyncio.Event()

    async def step(self) -> None:
        """One step; returns when the process may go on."""
        self.steps += 1
        if self.steps == self.stop_at:
            self.stopped.set()
        if self.stopped.is_set():
            await self.go_on.wait()

    def around(self, port: Any) -> Any:
        """The port with a step before and after each of its calls."""
        return _Gated(port, self)


class _Gated:
    def __init__(self, port: Any, gate: Gate) -> None:
        self._port, self._gate = port, gate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not inspect.iscoroutinefunction(found):
            return found
        call: Callable[..., Any] = found

        async def gated(*given: Any, **named: Any) -> Any:
            await self._gate.step()
            result = await call(*given, **named)
            await self._gate.step()
            return result

        return gated
