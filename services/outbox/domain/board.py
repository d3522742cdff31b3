"""All the lanes a replica holds, and who may send next: round-robin by tenant, then by lane, within the free slots.

A lane is *ready* while something of it may be due and nothing is known to hold it back; else a timer or the end of an
attempt makes it ready again. Mutable, single-threaded, told the time with each call.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from services.outbox.domain.lane import LaneKey, LaneWork, Ticket


@dataclass(frozen=True, slots=True)
class Caps:
    """The most attempts at once: of this replica, of a tenant, to a host."""

    slots: int = 100
    per_tenant: int = 100
    per_host: int = 50


@dataclass(slots=True)
class Board:
    """The lanes of one replica. ``closed``: it drains and takes nothing any more."""

    caps: Caps = field(default_factory=Caps)
    lanes: dict[LaneKey, LaneWork] = field(default_factory=dict)
    closed: bool = False
    under_way: int = 0
    tenants: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    ready: dict[str, deque[LaneKey]] = field(default_factory=dict)
    timers: list[tuple[datetime, LaneKey]] = field(default_factory=list)

    def open(self, key: LaneKey, now: datetime) -> LaneWork:
        """Hold this lane from now on."""
        lane = self.lanes.setdefault(key, LaneWork(key))
        lane.idle_since, lane.leaving = now, False
        self._make_ready(key)
        return lane

    def drop(self, key: LaneKey) -> None:
        """Another replica holds it, or nobody; attempts under way end by themselves."""
        lane = self.lanes.get(key)
        if lane is not None:
            lane.leave()
            self._forget_left(lane)

    def add(self, ticket: Ticket) -> bool:
        """List a ticket in its lane; False: not our lane, or listed already."""
        lane = self.lanes.get(ticket.lane)
        if lane is None or not lane.add(ticket):
            return False
        self._make_ready(ticket.lane)
        return True

    def next(self, now: datetime) -> Ticket | None:
        """The next attempt to begin; counts as under way until ``freed``, and its message is known until ``done``."""
        self._fire_timers(now)
        if self.closed:
            return None
        for key in self._round():
            ticket = self._take(key, now)
            if ticket is not None:
                return ticket
        return None

    def freed(self, ticket: Ticket) -> None:
        """The connection is free again; the outcome may still have to be written."""
        self.under_way -= 1
        self.tenants[ticket.tenant] -= 1
        lane = self.lanes.get(ticket.lane)
        if lane is not None:
            self.hosts[lane.host] -= 1
            lane.under_way -= 1
        self._make_ready(ticket.lane)

    def done(self, ticket: Ticket, now: datetime) -> None:
        """The outcome is written (or left to others)."""
        lane = self.lanes.get(ticket.lane)
        if lane is not None:
            lane.done(ticket)
            lane.idle_since = now
            self._make_ready(ticket.lane)
            self._forget_left(lane)

    def _forget_left(self, lane: LaneWork) -> None:
        if lane.leaving and lane.idle:
            self.lanes.pop(lane.key, None)

    def pause(self, key: LaneKey, until: datetime | None) -> None:
        """Begin nothing in this lane until then; None ends a pause."""
        lane = self.lanes.get(key)
        if lane is not None:
            lane.paused_until = until
            self._make_ready(key)

    def wakes_at(self) -> datetime | None:
        """When ``next`` may find something although nothing ends or is added before."""
        return self.timers[0][0] if self.timers else None

    def idle(self, before: datetime) -> list[LaneKey]:
        """Lanes that have had nothing to do since before that moment."""
        return [
            key for key, lane in self.lanes.items() if lane.idle and lane.idle_since and lane.idle_since < before
        ]  # fmt: skip

    def _take(self, key: LaneKey, now: datetime) -> Ticket | None:
        lane = self.lanes.get(key)
        found = lane.take(now) if lane is not None else None
        if lane is None or not isinstance(found, Ticket):
            self._unready(key)
            if isinstance(found, datetime):
                heapq.heappush(self.timers, (found, key))
            return None
        self.under_way += 1
        self.tenants[key[0]] += 1
        self.hosts[lane.host] += 1
        self._rotate(key)
        return found

    def _round(self) -> Iterator[LaneKey]:
        """Ready lanes in turn, without those a cap holds back (they stay ready)."""
        if self.under_way >= self.caps.slots:
            return
        for tenant in list(self.ready):
            if self.tenants[tenant] >= self.caps.per_tenant:
                continue
            for key in list(self.ready.get(tenant, ())):
                lane = self.lanes.get(key)
                if lane is None or self.hosts[lane.host] < self.caps.per_host:
                    yield key

    def _rotate(self, key: LaneKey) -> None:
        ring = self.ready.pop(key[0], deque())
        if key in ring:
            ring.remove(key)
            ring.append(key)
        self.ready[key[0]] = ring

    def _make_ready(self, key: LaneKey) -> None:
        if key in self.lanes and key not in (ring := self.ready.setdefault(key[0], deque())):
            ring.append(key)

    def _unready(self, key: LaneKey) -> None:
        ring = self.ready.get(key[0])
        if ring is not None and key in ring:
            ring.remove(key)
            if not ring:
                del self.ready[key[0]]

    def _fire_timers(self, now: datetime) -> None:
        while self.timers and self.timers[0][0] <= now:
            self._make_ready(heapq.heappop(self.timers)[1])
