"""All the lanes a replica holds, and who may send next: round-robin by tenant, then by lane, within the free slots.

A lane is *ready* while something of it may be due and nothing is known to hold it back; else a timer or the end of an
attempt makes it ready again. Mutable, single-threaded, told the time with each call.
"""

from __future__ import annotations

import heapq
from collections import Counter
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
    ready: dict[str, dict[LaneKey, None]] = field(default_factory=dict)
    host_of: dict[tuple[LaneKey, str], str] = field(default_factory=dict)
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
        if self.closed or self.under_way >= self.caps.slots:
            return None
        for tenant in list(self.ready):
            if self.tenants[tenant] < self.caps.per_tenant and (ticket := self._next_of(tenant, now)) is not None:
                return ticket
        return None

    def freed(self, ticket: Ticket) -> None:
        """The connection is free again; the outcome may still have to be written."""
        self.under_way -= 1
        self.tenants[ticket.tenant] -= 1
        self.hosts[self.host_of.pop((ticket.lane, ticket.message_id), "")] -= 1
        lane = self.lanes.get(ticket.lane)
        if lane is not None:
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

    def _next_of(self, tenant: str, now: datetime) -> Ticket | None:
        ring, blocked, found = self.ready[tenant], [], None
        for key in ring:
            lane = self.lanes.get(key)
            if lane is not None and self.hosts[lane.host] >= self.caps.per_host:
                continue  # it stays ready: nobody tells it when another lane's connection ends
            taken = lane.take(now) if lane is not None else None
            if lane is not None and isinstance(taken, Ticket):
                found = self._begun(taken, lane)
                break
            blocked.append(key)
            if lane is not None and isinstance(taken, datetime):
                self._look_again(lane, taken)
        for key in blocked:
            del ring[key]
        self._turn(tenant, ring, found)
        return found

    def _begun(self, ticket: Ticket, lane: LaneWork) -> Ticket:
        self.under_way += 1
        self.tenants[ticket.tenant] += 1
        self.hosts[lane.host] += 1
        self.host_of[ticket.lane, ticket.message_id] = lane.host
        return ticket

    def _look_again(self, lane: LaneWork, at: datetime) -> None:
        if lane.timer is None or at < lane.timer:
            lane.timer = at
            heapq.heappush(self.timers, (at, lane.key))

    def _turn(self, tenant: str, ring: dict[LaneKey, None], begun: Ticket | None) -> None:
        """Who has begun something goes to the end of both lines."""
        if begun is not None:
            del ring[begun.lane]
            ring[begun.lane] = None
            del self.ready[tenant]
            self.ready[tenant] = ring
        elif not ring:
            del self.ready[tenant]

    def _make_ready(self, key: LaneKey) -> None:
        if key in self.lanes:
            self.ready.setdefault(key[0], {}).setdefault(key)

    def _fire_timers(self, now: datetime) -> None:
        while self.timers and self.timers[0][0] <= now:
            at, key = heapq.heappop(self.timers)
            lane = self.lanes.get(key)
            if lane is not None and lane.timer is not None and lane.timer <= at:
                lane.timer = None
            self._make_ready(key)
