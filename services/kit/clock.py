"""Time as a port: nothing reads the machine's clock except through here, so tests can hold it still."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a service may ask about time."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, for durations and deadlines inside one service run."""
        ...

    def now(self) -> datetime:
        """The wall clock, aware and in UTC. Decisions about due times use the database's clock instead (DESIGN §3)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only yields to the loop."""
        ...


class SystemClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def now(self) -> datetime:
        """Now, aware, UTC, to the millisecond: finer than that MongoDB does not keep."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(max(0.0, seconds))
