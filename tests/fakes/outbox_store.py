"""The outbox's message store in memory, with a database clock a test sets, and faults a test chooses.

It passes the ports suite that the MongoDB store passes. Every method first awaits ``step`` (a scheduler's switch
point), and every write asks ``fate`` what becomes of it: done, or done / not done / done later with its answer lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from contracts.event import AnyEvent
from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt
from services.outbox.domain.document import SCHEMA, Message, Status, altered
from services.outbox.ports import (
    Birth,
    Change,
    Fenced,
    Gone,
    Inserted,
    Lost,
    Standing,
    Ticket,
    Unanswered,
    Won,
)
from tests.fakes import outbox_filters as filters

T = TypeVar("T")
WAITING = frozenset({Status.QUEUED, Status.COMMITTED})


class Fate(StrEnum):
    """What becomes of a write."""

    DONE = "done"
    LOST_DONE = "lost_done"
    LOST_UNDONE = "lost_undone"
    LOST_LATER = "lost_later"


class FakeDatabaseClock:
    """The database's clock, in a test's hand."""

    def __init__(self, moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment that was set."""
        return self.moment

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.moment += timedelta(milliseconds=round(seconds * 1000))


async def _no_step(_: str) -> None:
    return None


class FakeMessages:
    """A MessageStore. ``documents`` by key, ``owed`` events by key; ``late`` holds writes still travelling."""

    def __init__(
        self,
        clock: FakeDatabaseClock,
        step: Callable[[str], Awaitable[None]] = _no_step,
        fate: Callable[[str], Fate] = lambda _: Fate.DONE,
    ) -> None:
        self.clock, self._step, self._fate = clock, step, fate
        self.documents: dict[str, Message] = {}
        self.owed: dict[str, list[AnyEvent]] = {}
        self.late: list[Callable[[], object]] = []

    async def load(self, tenant: str, message_id: str) -> Message | None:
        """The document with what it owes."""
        await self._step("load")
        return self._whole(filters.key(tenant, message_id))

    async def insert(self, birth: Birth) -> Inserted | Standing:
        """Create unless something stands there."""
        return await self._write("insert", lambda: self._insert(birth))

    async def write(self, change: Change) -> bool:
        """Compare and set."""
        return await self._write("write", lambda: self._compare_and_set(change))

    async def commit(self, change: Change, hold_seconds: float) -> Won | Lost | Unanswered:
        """The commit; never raises."""
        try:
            return await self._write("commit", lambda: self._commit(change, hold_seconds))
        except Unavailable:
            return Unanswered()

    async def fence(self, before: Message, by: str) -> Fenced | Won | Gone:
        """Raise the attempt, or see whose transmission stands."""
        return await self._write("fence", lambda: self._fence(before, by))

    async def due(self, tenant: str, channel_id: str, before: datetime, limit: int) -> Sequence[Ticket]:
        """A lane's waiting messages in order."""
        await self._step("due")
        mine = [each for each in self._waiting(before) if (each.tenant, each.channel_id) == (tenant, channel_id)]
        return [filters.ticket(each) for each in mine][:limit]

    async def due_lanes(self, before: datetime, limit: int) -> Sequence[tuple[str, str, datetime]]:
        """Lanes with waiting messages."""
        await self._step("due_lanes")
        first: dict[tuple[str, str], datetime] = {}
        for each in self._waiting(before):
            first.setdefault((each.tenant, each.channel_id), filters.due_of(each))
        return [(*lane, due_at) for lane, due_at in first.items()][:limit]

    async def lapsed(self, limit: int) -> Sequence[Message]:
        """Transmissions that are over."""
        await self._step("lapsed")
        return [each for each in self._known() if each.transmission and each.transmission.until < self._now][:limit]

    async def expired(self, limit: int) -> Sequence[Message]:
        """Waiting messages past their time."""
        await self._step("expired")
        return [each for each in self._idle() if each.expires_at and each.expires_at <= self._now][:limit]

    async def of_channel(self, tenant: str, channel_id: str, limit: int) -> Sequence[Message]:
        """A channel's waiting messages."""
        await self._step("of_channel")
        return [each for each in self._idle() if (each.tenant, each.channel_id) == (tenant, channel_id)][:limit]

    async def orphans(self, before: datetime, limit: int) -> Sequence[Message]:
        """Old tombstones without an answer."""
        await self._step("orphans")
        return [
            each
            for each in self._known()
            if each.status is Status.UNSEEN and not each.terminal_at and each.created_at and each.created_at < before
        ][:limit]

    async def slim(self, before: datetime, limit: int) -> int:
        """Drop the raw form of old messages."""
        await self._step("slim")
        old = [each for each in self._known() if each.raw and each.terminal_at and each.terminal_at < before][:limit]
        for each in old:
            self.documents[filters.key(each.tenant, each.message_id)] = altered(each, raw=None)
        return len(old)

    async def purge(self, before: datetime, limit: int) -> int:
        """Delete old documents that owe nothing."""
        await self._step("purge")
        old = [
            name
            for name, each in self.documents.items()
            if each.schema <= SCHEMA and each.terminal_at and each.terminal_at < before and not self.owed.get(name)
        ][:limit]
        for name in old:
            del self.documents[name]
        return len(old)

    @property
    def _now(self) -> datetime:
        return self.clock.moment

    def _whole(self, name: str) -> Message | None:
        found = self.documents.get(name)
        return altered(found, owed=tuple(self.owed.get(name, ()))) if found is not None else None

    def _of(self, change: Change) -> Message | None:
        return self.documents.get(filters.key(change.before.tenant, change.before.message_id))

    def _known(self) -> list[Message]:
        return [each for name in list(self.documents) if (each := self._whole(name)) and each.schema <= SCHEMA]

    def _idle(self) -> list[Message]:
        return [each for each in self._known() if each.status in WAITING and each.transmission is None]

    def _waiting(self, before: datetime) -> list[Message]:
        found = [
            each for each in self._known() if attempt.can_be_taken_up(each) and each.due_at and each.due_at < before
        ]
        live = [each for each in found if each.expires_at is None or each.expires_at > self._now]
        return sorted(live, key=lambda each: (filters.due_of(each), each.message_id))

    async def _write(self, label: str, apply: Callable[[], T]) -> T:
        await self._step(label)
        fate = self._fate(label)
        if fate is Fate.DONE:
            return apply()
        if fate is Fate.LOST_DONE:
            apply()
        if fate is Fate.LOST_LATER:
            self.late.append(apply)
        raise Unavailable(f"{label}: the answer was lost")

    def _insert(self, birth: Birth) -> Inserted | Standing:
        name = filters.key(birth.message.tenant, birth.message.message_id)
        if (standing := self._whole(name)) is not None:
            return Standing(standing)
        message, owed = filters.timed(birth, self._now)
        self.documents[name] = message
        self.owed[name] = list(owed)
        return Inserted(message, owed)

    def _compare_and_set(self, change: Change) -> bool:
        allowed = filters.matches(change, self._of(change), self._now)
        if allowed:
            self._replace(change)
        return allowed

    def _replace(self, change: Change) -> None:
        name = filters.key(change.before.tenant, change.before.message_id)
        self.documents[name] = altered(change.after, owed=())
        kept = [each for each in self.owed.get(name, ()) if each.id not in change.spoken]
        self.owed[name] = [*kept, *change.owed]

    def _commit(self, change: Change, hold_seconds: float) -> Won | Lost:
        standing = self._of(change)
        if not filters.commits(change, standing, self._now) or change.after.transmission is None:
            return Lost()
        until = self._now + timedelta(milliseconds=round(hold_seconds * 1000))
        after = altered(change.after, transmission=replace(change.after.transmission, until=until))
        self._replace(replace(change, after=after))
        return Won(after)

    def _fence(self, before: Message, by: str) -> Fenced | Won | Gone:
        name = filters.key(before.tenant, before.message_id)
        standing = self._whole(name)
        if standing is None or standing.schema > SCHEMA:
            return Gone()
        if standing.status in WAITING and standing.attempt == before.attempt and standing.transmission is None:
            raised = altered(standing, attempt=standing.attempt + 1, version=standing.version + 1, owed=())
            self.documents[name] = raised
            return Fenced()
        return Won(standing) if standing.transmission and standing.transmission.by == by else Gone()
