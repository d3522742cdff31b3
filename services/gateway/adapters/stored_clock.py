"""The wall clock in the precision the database keeps, so that an answer is the same before and after it was stored."""

from __future__ import annotations

from datetime import datetime

from services.kit.clock import SystemClock


class StoredClock:
    """See ``ports.Now``; whole milliseconds."""

    def __init__(self) -> None:
        self._clock = SystemClock()

    def now(self) -> datetime:
        """See the port."""
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)
