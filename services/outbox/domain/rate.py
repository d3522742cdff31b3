"""A token bucket: how often a lane may submit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

BURST_SECONDS = 6.0
"""A lane that was idle may submit what six seconds allow, at once; at least one message."""


@dataclass(slots=True)
class Bucket:
    """Allows ``per_minute`` takes; None: no limit."""

    per_minute: int | None = None
    tokens: float = field(default=-1.0)
    filled_at: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        """When the next take is allowed; now or earlier: at once."""
        self._fill(now)
        if self.per_minute is None or self.tokens >= 1.0:
            return now
        return now + timedelta(seconds=(1.0 - self.tokens) * 60.0 / self.per_minute + 0.001)

    def take(self, now: datetime) -> None:
        """Use one; only after ``ready_at`` allowed it."""
        self._fill(now)
        self.tokens -= 1.0

    def _fill(self, now: datetime) -> None:
        most = max(1.0, (self.per_minute or 0) * BURST_SECONDS / 60.0)
        if self.filled_at is None or self.tokens > most:
            self.tokens = most
        elif self.per_minute is not None and now > self.filled_at:
            self.tokens = min(most, self.tokens + (now - self.filled_at).total_seconds() * self.per_minute / 60.0)
        self.filled_at = now
