"""Lanes and SMTP statuses in memory, on the fake database clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.event import AnyEvent
from services.outbox.domain.lane import LaneKey
from services.outbox.domain.smtp_status import SmtpStatus
from services.outbox.ports import Lane
from tests.fakes.outbox_store import FakeDatabaseClock


class FakeLanes:
    """The Lanes port; ``woken`` are the wake-ups in order."""

    def __init__(self, clock: FakeDatabaseClock) -> None:
        self.clock = clock
        self.held: dict[LaneKey, Lane] = {}
        self.woken: list[LaneKey] = []
        self._told: asyncio.Queue[Lane] = asyncio.Queue()

    async def wake(self, tenant: str, channel_id: str, due_at: datetime) -> None:
        """The earliest counts."""
        lane = self._lane(tenant, channel_id)
        self.woken.append((tenant, channel_id))
        self._keep(replace(lane, next_due_at=min(due_at, lane.next_due_at or due_at)))

    async def claim(self, owner: str, before: datetime, seconds: float, limit: int) -> Sequence[Lane]:
        """Due and free ones; fairness is the real one's."""
        due = [
            each for each in self.held.values() if self._free(each) and each.next_due_at and each.next_due_at < before
        ]
        return [self._take(each, owner, seconds) for each in due if not self._paused(each)][:limit]

    async def claim_one(self, owner: str, tenant: str, channel_id: str, seconds: float) -> Lane | None:
        """This one, if it is free or ours."""
        lane = self._lane(tenant, channel_id)
        return self._take(lane, owner, seconds) if self._free(lane) or lane.owner == owner else None

    async def renew(self, owner: str, seconds: float) -> Sequence[Lane]:
        """Ours, with what was woken meanwhile."""
        return [self._take(each, owner, seconds) for each in list(self.held.values()) if each.owner == owner]

    async def release(self, owner: str, tenant: str, channel_id: str, next_due_at: datetime | None) -> None:
        """Free, if it was ours."""
        lane = self._lane(tenant, channel_id)
        if lane.owner == owner:
            due = [each for each in (lane.next_due_at, next_due_at) if each is not None]
            self._keep(replace(lane, owner=None, until=None, next_due_at=min(due, default=None)))

    async def pause(self, tenant: str, channel_id: str, until: datetime) -> Lane:
        """Paused."""
        lane = self._lane(tenant, channel_id)
        return self._keep(replace(lane, paused_until=until, failures=lane.failures + 1))

    async def resume(self, tenant: str, channel_id: str) -> None:
        """Not paused."""
        self._keep(replace(self._lane(tenant, channel_id), paused_until=None, failures=0))

    async def drop(self, tenant: str, channel_id: str) -> None:
        """Gone."""
        self.held.pop((tenant, channel_id), None)

    async def changes(self) -> AsyncIterator[Lane]:
        """As they are kept."""
        while True:
            yield await self._told.get()

    def _take(self, lane: Lane, owner: str, seconds: float) -> Lane:
        until = self.clock.moment + timedelta(seconds=seconds)
        self._keep(replace(lane, owner=owner, until=until, next_due_at=None))
        return replace(lane, owner=owner, until=until)

    def _lane(self, tenant: str, channel_id: str) -> Lane:
        return self.held.get((tenant, channel_id), Lane(tenant, channel_id))

    def _keep(self, lane: Lane) -> Lane:
        self.held[lane.tenant, lane.channel_id] = lane
        self._told.put_nowait(lane)
        return lane

    def _free(self, lane: Lane) -> bool:
        return lane.owner is None or lane.until is None or lane.until < self.clock.moment

    def _paused(self, lane: Lane) -> bool:
        return lane.paused_until is not None and lane.paused_until > self.clock.moment


class FakeStatuses:
    """The StatusStore port; ``owed`` are the events in order."""

    def __init__(self) -> None:
        self.held: dict[LaneKey, SmtpStatus] = {}
        self.owed: list[AnyEvent] = []

    async def load(self, tenant: str, channel_id: str) -> SmtpStatus | None:
        """As it stands."""
        return self.held.get((tenant, channel_id))

    async def write(self, before: SmtpStatus | None, after: SmtpStatus, owed: Sequence[AnyEvent]) -> bool:
        """Compare and set."""
        key = (after.tenant, after.channel_id)
        standing = self.held.get(key)
        if (standing.version if standing else None) != (before.version if before else None):
            return False
        self.held[key] = after
        self.owed += owed
        return True

    async def stale(self, before: datetime, limit: int) -> Sequence[SmtpStatus]:
        """Those not proven since then."""
        return [each for each in self.held.values() if each.proven_at is None or each.proven_at < before][:limit]

    async def drop(self, tenant: str, channel_id: str) -> None:
        """Gone."""
        self.held.pop((tenant, channel_id), None)
