"""Delivery reports, as the outbound message they speak of shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Returned:
    """One recipient a delivery report speaks of (RFC 3464): failed, delayed, delivered, relayed or expanded."""

    address: str
    action: str = "failed"
    status: str | None = None
    diagnostic: str | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """A delivery report about a message; ``message_id`` is the report's own."""

    message_id: str
    at: datetime
    recipients: tuple[Returned, ...] = ()
