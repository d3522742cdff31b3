"""The state of a channel's SMTP direction as it stands in the database, and how it changes.

States: connecting, connected, throttled, auth_failed, unreachable, disabled (DESIGN §5). A report that changes nothing
but the time of the last success is no fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
