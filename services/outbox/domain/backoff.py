"""How long to wait before the next try. ``chance`` is a random number in [0, 1): the jitter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

AUTH_PAUSES = (3600.0, 6 * 3600.0, 24 * 3600.0)
"""After an explicit refusal of the login: 1 h, 6 h, 24 h, until the settings change (DESIGN §5)."""
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential: ``first`` seconds, doubled each time, at most ``most``, a fifth of jitter either way."""

    first: float
    most: float

    def seconds(self, tries: int, chance: float) -> float:
        """The wait after ``tries`` earlier waits."""
        plain = min(self.most, self.first * 2.0 ** min(tries, 40))
        return plain * (1 - _JITTER + 2 * _JITTER * chance)


RETRY = Backoff(60.0, 4 * 3600.0)
"""For a message that was deferred."""
THROTTLED = Backoff(60.0, 3600.0)
UNREACHABLE = Backoff(5.0, 900.0)


def auth_pause(failures: int) -> float:
    """The wait after a refused login."""
    return AUTH_PAUSES[min(failures, len(AUTH_PAUSES) - 1)]


def later(now: datetime, seconds: float) -> datetime:
    """That many seconds after a moment, in whole milliseconds."""
    return now + timedelta(milliseconds=round(seconds * 1000))
