"""Times in the reader's zone and language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.gateway.console.catalogue import Words

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def zone_of(name: str | None) -> ZoneInfo:
    """The zone the browser named, UTC where it named none that exists."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


class Moments:
    """Formats for one reader."""

    def __init__(self, words: Words, zone: ZoneInfo, now: datetime) -> None:
        self._words, self._zone, self.now = words, zone, now

    def clock(self, at: datetime) -> str:
        """``14:32``."""
        return f"{at.astimezone(self._zone):%H:%M}"

    def precise(self, at: datetime) -> str:
        """``14:32:15``."""
        return f"{at.astimezone(self._zone):%H:%M:%S}"

    def day(self, at: datetime) -> str:
        """Today, yesterday, or the date."""
        there, today = at.astimezone(self._zone).date(), self.now.astimezone(self._zone).date()
        if there == today:
            return self._words("today")
        if there == today - timedelta(days=1):
            return self._words("yesterday")
        return self.date(at)

    def date(self, at: datetime) -> str:
        """``03/03/2026`` or ``3 Mar 2026``."""
        there = at.astimezone(self._zone)
        if self._words.language == "pt-BR":
            return f"{there:%d/%m/%Y}"
        return f"{there.day} {MONTHS[there.month - 1]} {there.year}"

    def short(self, at: datetime) -> str:
        """The time today, else the day."""
        return self.clock(at) if self.day(at) == self._words("today") else self.day(at)

    def near(self, at: datetime) -> str:
        """``14:32``, with the date before it where that is not today's."""
        return self.clock(at) if self.day(at) == self._words("today") else f"{self.date(at)} {self.clock(at)}"

    def iso(self, at: datetime) -> str:
        """For ``datetime`` attributes and the page's script."""
        return at.astimezone(UTC).isoformat(timespec="milliseconds")
