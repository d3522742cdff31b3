"""The state of a channel's SMTP direction as it stands in the database, and how it changes (DESIGN §5).

```
connecting --logged in--> connected        any --login refused--> auth_failed    --too much--> throttled
   ^--settings changed, reconnect-- any    any --no way to the server--> unreachable
```

A report that changes nothing but the time of the last success is no fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.outbox.domain.backoff import THROTTLED, UNREACHABLE, auth_pause

_STATE_OF: Final[Mapping[str, str]] = {
    "authentication_failed": "auth_failed",
    "refused_without_code": "auth_failed",
    "secret_unreadable": "auth_failed",
    "rate_limited": "throttled",
}
"""By reason; every other reason means unreachable."""


@dataclass(frozen=True, slots=True)
class SmtpStatus:
    """One channel's SMTP direction. ``state`` and ``reason`` are values of contracts' ConnectionState and
    ConnectionReason; ``failures`` in a row, for the back-off; ``refusals``: NOs to a login without a code, in a row;
    ``proven_at`` the last completed cycle; ``channel_version`` the settings it speaks of."""

    tenant: str
    channel_id: str
    version: int
    state: str
    reason: str
    since: datetime
    next_retry_at: datetime | None = None
    failures: int = 0
    refusals: int = 0
    proven_at: datetime | None = None
    channel_version: int = 0


def connecting(tenant: str, channel_id: str, channel_version: int, now: datetime) -> SmtpStatus:
    """A channel that was just made."""
    return SmtpStatus(tenant, channel_id, 1, "connecting", "none", now, channel_version=channel_version)


def settings_changed(before: SmtpStatus, channel_version: int, now: datetime) -> SmtpStatus:
    """New settings, or somebody asked to reconnect: everything is open again."""
    after = _moved(before, "connecting", "settings_changed", now)
    return replace(after, failures=0, refusals=0, next_retry_at=None, channel_version=channel_version)


def proven(before: SmtpStatus, now: datetime) -> SmtpStatus:
    """A cycle was completed: connected."""
    after = _moved(before, "connected", "none", now)
    return replace(after, failures=0, refusals=0, next_retry_at=None, proven_at=now)


def failed(before: SmtpStatus, reason: str, now: datetime, retry_at: datetime) -> SmtpStatus:
    """It can't be used, for this reason; it is tried again then."""
    after = _moved(before, state_of(reason), reason, now)
    return replace(after, failures=before.failures + 1, next_retry_at=retry_at)


def is_paused(status: SmtpStatus, reason: str, now: datetime) -> bool:
    """Whether this very failure is known and its pause is not over."""
    return status.reason == reason and status.next_retry_at is not None and now < status.next_retry_at


def pause_seconds(reason: str, failures: int, chance: float) -> float:
    """How long to leave the server alone after that many failures in a row."""
    state = state_of(reason)
    if state == "auth_failed":
        return auth_pause(failures)
    return (THROTTLED if state == "throttled" else UNREACHABLE).seconds(failures, chance)


def state_of(reason: str) -> str:
    """The state a reason puts the direction into."""
    return _STATE_OF.get(reason, "unreachable")


def is_told(before: SmtpStatus | None, after: SmtpStatus) -> bool:
    """Whether others need to hear of this change."""
    return before is None or _visible(before) != _visible(after)


def _visible(status: SmtpStatus) -> tuple[object, ...]:
    return status.state, status.reason, status.next_retry_at


def _moved(before: SmtpStatus, state: str, reason: str, now: datetime) -> SmtpStatus:
    since = before.since if (before.state, before.reason) == (state, reason) else now
    return replace(before, version=before.version + 1, state=state, reason=reason, since=since)
