"""The state of a channel's IMAP direction as it stands in the database, and how it changes (DESIGN §5).

```
connecting --cycle completed--> connected      any --login refused--> auth_failed     --too much--> throttled
   ^--settings changed, reconnect-- any        any --no way to the server--> unreachable   --tenant off--> disabled
```

``imap_status.judge`` says which of these what was seen means; a change of nothing but ``proven_at`` is no fact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.ingest.domain.imap_status import Verdict

AUTH_PAUSES: Final = (3600.0, 6 * 3600.0, 24 * 3600.0)
"""After an explicit refusal of the login: 1 h, 6 h, 24 h, until the settings change (DESIGN §5)."""
_SOON: Final = (1.0, 300.0)
_THROTTLED: Final = (30.0, 1800.0)
_JITTER: Final = 0.25


@dataclass(frozen=True, slots=True)
class ImapStatus:
    """One channel's IMAP direction. ``state`` and ``reason`` are values of contracts' ConnectionState and
    ConnectionReason; ``failures`` in a row, for the back-off; ``refusals``: NOs to a login without a code, in a row;
    ``proven_at`` the last completed cycle; ``channel_version`` of the settings it speaks of."""

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


def connecting(tenant: str, channel_id: str, channel_version: int, now: datetime) -> ImapStatus:
    """A channel that was just made."""
    return ImapStatus(tenant, channel_id, 1, "connecting", "none", now, channel_version=channel_version)


def settings_changed(before: ImapStatus, channel_version: int, now: datetime) -> ImapStatus:
    """New settings, or somebody asked to reconnect: everything is open again."""
    after = _moved(before, "connecting", "settings_changed", now)
    return replace(after, failures=0, refusals=0, next_retry_at=None, channel_version=channel_version)


def reconnecting(before: ImapStatus, reason: str, now: datetime) -> ImapStatus:
    """It was connected, the connection is gone, and a new one is being made."""
    return replace(_moved(before, "connecting", reason, now), next_retry_at=None)


def proven(before: ImapStatus, now: datetime) -> ImapStatus:
    """A cycle was completed: connected."""
    after = _moved(before, "connected", "none", now)
    return replace(after, failures=0, refusals=0, next_retry_at=None, proven_at=now)


def failed(before: ImapStatus, verdict: Verdict, now: datetime, wait: float) -> ImapStatus:
    """It can't be used, for this reason; it is tried again after ``wait`` seconds."""
    after = _moved(before, verdict.state, verdict.reason, now)
    refusals = before.refusals + 1 if verdict.uncoded else 0
    retry_at = now + timedelta(milliseconds=round(wait * 1000))
    return replace(after, failures=in_a_row(before, verdict) + 1, refusals=refusals, next_retry_at=retry_at)


def in_a_row(before: ImapStatus, verdict: Verdict) -> int:
    """How many failures before this one count for its pause: a refusal of the login, or a limit, begins its own row."""
    return before.failures if verdict.pause == "soon" or before.state == verdict.state else 0


def disabled(before: ImapStatus, now: datetime) -> ImapStatus:
    """The tenant's e-mail is switched off."""
    return replace(_moved(before, "disabled", "not_watched", now), failures=0, refusals=0, next_retry_at=None)


def pause_seconds(verdict: Verdict, failures: int, chance: float) -> float:
    """How long to leave the server alone after that many failures in a row; ``chance`` in [0, 1) is the jitter."""
    if verdict.pause == "refused":
        return AUTH_PAUSES[min(failures, len(AUTH_PAUSES) - 1)]
    first, most = _THROTTLED if verdict.pause == "throttled" else _SOON
    return min(most, first * 2.0 ** min(failures, 20)) * (1 - _JITTER + 2 * _JITTER * chance)


def is_told(before: ImapStatus | None, after: ImapStatus) -> bool:
    """Whether others need to hear of this change."""
    return before is None or _visible(before) != _visible(after)


def _visible(status: ImapStatus) -> tuple[object, ...]:
    return status.state, status.reason, status.next_retry_at


def _moved(before: ImapStatus, state: str, reason: str, now: datetime) -> ImapStatus:
    since = before.since if (before.state, before.reason) == (state, reason) else now
    return replace(before, version=before.version + 1, state=state, reason=reason, since=since)
