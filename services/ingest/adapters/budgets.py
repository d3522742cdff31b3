"""What one replica allows itself: logins per host, octets in memory, second looks per host. In this process alone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Limits:
    """``logins_s`` per host and second, ``logins`` per host at once; ``connections`` per host, 0: no limit; above it
    mailboxes have one for ``turn_s`` in turn; ``octets`` in memory, for slices and again for
    large mails; ``looks_s`` second looks per host and second, near and far, at least ``near_s``/``far_s`` apart."""

    logins_s: float = 100.0
    logins: int = 32
    connections: int = 0
    turn_s: float = 30.0
    octets: int = 64 << 20
    near_s: float = 0.1
    far_s: float = 0.25
    looks_near_s: float = 500.0
    looks_far_s: float = 40.0


class Octets:
    """So many octets may be held; those who wait are served in the order they came, so slices go round."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self.released = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def hold(self, octets: int) -> int:
        """Waits for them; the number held (never more than there are at all)."""
        wanted = min(octets, self._total)
        if not self._waiting and wanted <= self._free:
            self._free -= wanted
            return wanted
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(wanted)
            raise
        return wanted

    def release(self, octets: int) -> None:
        """Gives them back."""
        self._free += octets
        self.released += 1
        while self._waiting:
            wanted, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
                continue
            if wanted > self._free:
                return
            self._waiting.popleft()
            self._free -= wanted
            turn.set_result(None)


@dataclass(slots=True)
class _Host:
    at_once: asyncio.Semaphore
    connections: asyncio.Semaphore
    wanted: int = 0
    login_at: float = 0.0
    look_at: float = 0.0


class ReplicaBudgets:
    """The Budgets port."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self._slices, self._large = Octets(limits.octets), Octets(limits.octets)
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def login(self, host: str) -> AsyncIterator[None]:
        """See Budgets."""
        budget = self._host(host)
        async with budget.at_once:
            now = self._clock.monotonic()
            at = max(now, budget.login_at)
            budget.login_at = at + 1 / self._limits.logins_s
            if at > now:
                await self._clock.sleep(at - now)
            yield

    @asynccontextmanager
    async def connection(self, host: str) -> AsyncIterator[None]:
        """See Budgets."""
        budget = self._host(host)
        budget.wanted += 1
        try:
            if not self._limits.connections:
                yield
                return
            async with budget.connections:
                yield
        finally:
            budget.wanted -= 1

    def turn(self, host: str) -> float | None:
        """See Budgets."""
        limit = self._limits.connections
        return self._limits.turn_s if limit and self._host(host).wanted > limit else None

    async def hold(self, octets: int, *, large: bool = False) -> int:
        """See Budgets."""
        return await (self._large if large else self._slices).hold(octets)

    def release(self, octets: int, *, large: bool = False) -> None:
        """See Budgets."""
        (self._large if large else self._slices).release(octets)

    def released(self) -> int:
        """How often octets were given back so far."""
        return self._slices.released + self._large.released

    def recheck(self, host: str, near: bool) -> float | None:
        """See Budgets: turns are dealt out evenly; one further off than a second is none."""
        budget, limits, now = self._host(host), self._limits, self._clock.monotonic()
        apart, rate = (limits.near_s, limits.looks_near_s) if near else (limits.far_s, limits.looks_far_s)
        at = max(now + apart, budget.look_at)
        if at > now + 1.0:
            return None
        budget.look_at = max(now, budget.look_at) + 1 / rate
        return at - now

    def _host(self, host: str) -> _Host:
        if (found := self._hosts.get(host)) is None:
            found = self._hosts[host] = _Host(
                asyncio.Semaphore(self._limits.logins), asyncio.Semaphore(max(1, self._limits.connections))
            )
        return found
