"""A clock a test holds in its hand."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until told otherwise.

    With `auto` (the default) a sleep advances the clock itself and returns at once; without it a sleeper waits until
    `advance` or `set` passes its time.
    """

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), *, auto: bool = True) -> None:
        self._start = start
        self._elapsed = 0.0
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._order = 0

    def monotonic(self) -> float:
        """Seconds since the fake's start."""
        return self._elapsed

    def now(self) -> datetime:
        """The start plus what passed since."""
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        """Advance by that much, or wait for somebody else to."""
        if self._auto or seconds <= 0:
            self.advance(max(0.0, seconds))
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        self._order += 1
        heapq.heappush(self._sleepers, (self._elapsed + seconds, self._order, event))
        await event.wait()

    def advance(self, seconds: float) -> None:
        """Move forward and wake whoever is due."""
        self._elapsed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._elapsed:
            heapq.heappop(self._sleepers)[2].set()

    def set(self, moment: datetime) -> None:
        """Move forward to that moment; earlier ones are refused, as a monotonic clock would."""
        ahead = (moment - self.now()).total_seconds()
        if ahead < 0:
            raise ValueError("a clock does not run backwards")
        self.advance(ahead)

    @property
    def sleepers(self) -> int:
        """How many tasks wait, for tests that must not advance too early."""
        return len(self._sleepers)
