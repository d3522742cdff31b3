"""Ingest's stores in memory; they pass the ports suite that the MongoDB ones pass."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.event import AnyEvent
from services.ingest.adapters.streamed import streamed
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.ledger import Seen, Thread
from services.ingest.domain.parsed import Held
from services.ingest.domain.sent_copy import SentCopy
from services.ingest.domain.session import Streamed
from services.ingest.domain.status import ImapStatus
from services.ingest.ports import Gone, OwnMail, Stored
from services.kit.ids import uuid7


@dataclass
class FakeCursors:
    """The CursorStore port."""

    cursors: dict[ChannelKey, Cursor] = field(default_factory=dict)

    async def claim(self, key: ChannelKey, owner: str) -> Cursor:
        """See CursorStore."""
        before = self.cursors.get(key, Cursor(0))
        self.cursors[key] = replace(before, epoch=before.epoch + 1)
        return self.cursors[key]

    async def move(self, key: ChannelKey, before: Cursor, after: Cursor) -> bool:
        """See CursorStore."""
        if key not in self.cursors or _place(self.cursors[key]) != _place(before):
            return False
        self.cursors[key] = after
        return True

    async def holds(self, key: ChannelKey, epoch: int) -> bool:
        """See CursorStore."""
        return key in self.cursors and self.cursors[key].epoch == epoch

    async def drop(self, key: ChannelKey) -> None:
        """See CursorStore."""
        self.cursors.pop(key, None)


@dataclass
class FakeLedger:
    """The Ledger port."""

    entries: dict[tuple[ChannelKey, str], Seen] = field(default_factory=dict)
    threads: dict[tuple[ChannelKey, str], str] = field(default_factory=dict)

    async def seen(self, key: ChannelKey, sha256s: Sequence[str]) -> Mapping[str, Seen]:
        """See Ledger."""
        return {sha256: self.entries[key, sha256] for sha256 in sha256s if (key, sha256) in self.entries}

    async def conversations(self, key: ChannelKey, internet_message_ids: Sequence[str]) -> Mapping[str, str]:
        """See Ledger."""
        return {one: self.threads[key, one] for one in internet_message_ids if (key, one) in self.threads}

    async def note(self, key: ChannelKey, seen: Sequence[Seen], threads: Sequence[Thread]) -> Mapping[str, Seen]:
        """See Ledger."""
        standing = {one.sha256: self.entries[key, one.sha256] for one in seen if (key, one.sha256) in self.entries}
        for one in seen:
            self.entries.setdefault((key, one.sha256), one)
        for thread in threads:
            self.threads.setdefault((key, thread.internet_message_id), thread.conversation_id)
        return standing


@dataclass
class FakeStatuses:
    """The StatusStore port; ``told`` are the owed events of every write, in order."""

    statuses: dict[ChannelKey, ImapStatus] = field(default_factory=dict)
    told: list[AnyEvent] = field(default_factory=list)

    async def load(self, tenant: str, channel_id: str) -> ImapStatus | None:
        """See StatusStore."""
        return self.statuses.get((tenant, channel_id))

    async def write(self, before: ImapStatus | None, after: ImapStatus, owed: Sequence[AnyEvent]) -> bool:
        """See StatusStore."""
        key = (after.tenant, after.channel_id)
        known = self.statuses.get(key)
        if (known.version if known else None) != (before.version if before else None):
            return False
        self.statuses[key] = after
        self.told.extend(owed)
        return True

    async def prove(self, keys: Sequence[ChannelKey], at: datetime) -> None:
        """See StatusStore."""
        for key in keys:
            if (known := self.statuses.get(key)) is not None and known.state == "connected":
                self.statuses[key] = replace(known, proven_at=max(at, known.proven_at or at))

    async def stale(self, before: datetime, limit: int) -> Sequence[ImapStatus]:
        """See StatusStore."""
        connected = [one for one in self.statuses.values() if one.state == "connected"]
        return [one for one in connected if one.proven_at is not None and one.proven_at < before][:limit]

    async def drop(self, tenant: str, channel_id: str) -> None:
        """See StatusStore."""
        self.statuses.pop((tenant, channel_id), None)

    def states(self) -> list[str]:
        """What was told, as ``state/reason``."""
        return [f"{each.data.state}/{each.data.reason}" for each in self.told]


@dataclass
class FakeRaw:
    """The RawStore port; a repeat leaves the first alone. ``holding``: what is held, by id; the next ``swept``
    are held too long before somebody comes for them."""

    kept: dict[str, Stored] = field(default_factory=dict)
    holding: dict[str, bytes] = field(default_factory=dict)
    swept: int = 0

    async def keep(self, tenant: str, things: Sequence[Stored]) -> None:
        """See RawStore."""
        for thing in things:
            if thing.held is not None and thing.held.blob_id not in self.holding:
                raise Gone
            self.kept.setdefault(f"{tenant}/{thing.ref.blob_id}", thing)

    async def hold(self, tenant: str, octets: AsyncIterator[bytes]) -> Held:
        """See RawStore."""
        whole = b"".join([piece async for piece in octets])
        held = Held(str(uuid7()), hashlib.sha256(whole).hexdigest(), len(whole))
        if self.swept:
            self.swept -= 1
        else:
            self.holding[held.blob_id] = whole
        return held

    async def held(self, tenant: str, held: Held) -> AsyncIterator[bytes]:
        """See RawStore."""
        if held.blob_id not in self.holding:
            raise Gone
        yield self.holding[held.blob_id]


@dataclass
class FakeOwnMails:
    """The OwnMails port and what fills it."""

    mails: dict[tuple[str, str], OwnMail] = field(default_factory=dict)

    async def put(self, tenant: str, message_id: str, own: OwnMail) -> None:
        """See KeepsOwnMails."""
        self.mails[tenant, message_id] = own

    async def find(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, OwnMail]:
        """See OwnMails."""
        return {one: self.mails[tenant, one] for one in message_ids if (tenant, one) in self.mails}


@dataclass
class FakeParticipants:
    """The Participants port."""

    conversations: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    async def of(self, tenant: str, conversation_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """See Participants."""
        return {one: self.conversations[tenant, one] for one in conversation_ids if (tenant, one) in self.conversations}


@dataclass
class FakeCopies:
    """The CopyStore port."""

    copies: dict[tuple[str, str], SentCopy] = field(default_factory=dict)

    async def put(self, copy: SentCopy) -> None:
        """See CopyStore."""
        known = self.copies.get((copy.tenant, copy.message_id))
        if known is None or known.tries <= copy.tries:
            self.copies[copy.tenant, copy.message_id] = copy

    async def due(self, channels: Sequence[ChannelKey], now: datetime, limit: int) -> Sequence[SentCopy]:
        """See CopyStore."""
        due = [one for one in self.copies.values() if one.due_at <= now and one.key in channels]
        return sorted(due, key=lambda one: one.due_at)[:limit]

    async def octets(self, copy: SentCopy) -> Streamed | None:
        """See CopyStore."""
        return None if copy.octets is None else streamed(copy.octets)

    async def done(self, copy: SentCopy) -> None:
        """See CopyStore."""
        self.copies.pop((copy.tenant, copy.message_id), None)


def _place(cursor: Cursor) -> tuple[object, ...]:
    return cursor.epoch, cursor.generation, cursor.uidvalidity, cursor.last_uid
