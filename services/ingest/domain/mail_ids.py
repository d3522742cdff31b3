"""Message-IDs and dates (RFC 5322 sections 3.6.4 and 3.3), as mailers write them; never raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

from services.ingest.domain.mail_words import words

MOST = 100
LENGTH = 998
_ID = re.compile(r"<([^<>]++)>")
_NO_ANGLES = re.compile(r"[^\s<>@,;\"]++@[^\s<>@,;\"]++")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def message_ids(value: str) -> tuple[str, ...]:
    """The ids of a field in its order, each once, in angle brackets; one that lacks them gets them.

    Of more than 100 the first (the root of the thread) and the last are kept. Encoded words, which have no place here
    (RFC 2047 section 5), are read all the same: Python's mailers write long ids, such as ours, that way.
    """
    value = words(value) if "=?" in value else value
    found = [_CONTROL.sub("", each) for each in _ID.findall(value)]
    if not found:
        found = _NO_ANGLES.findall(value)
    ids = list(dict.fromkeys(f"<{each}>" for each in found if each and len(each) <= LENGTH))
    return tuple(ids if len(ids) <= MOST else [ids[0], *ids[1 - MOST :]])


def message_id(value: str) -> str | None:
    """The first id of a field."""
    ids = message_ids(value)
    return ids[0] if ids else None


def date_of(value: str) -> datetime | None:
    """The moment in UTC; a date without a zone, or with `-0000`, is taken as UTC. None for what is no date."""
    try:
        found = parsedate_tz(value[:200])
        if found is None:
            return None
        zone = timezone(timedelta(seconds=found[9] or 0))
        second = min(found[5], 59)  # a leap second counts as the one before it
        return datetime(*found[:5], second, tzinfo=zone).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):  # no such day, and what parsedate_tz of 3.11 lets out
        return None
