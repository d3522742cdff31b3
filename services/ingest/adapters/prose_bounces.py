"""Delivery reports that no standard describes, by `flufl.bounce`, on a bounded extract of the mail.

Its detectors search lines with patterns that are quadratic in a line's length, and the stdlib parser recurses: so long
lines are cut, and only the first 128 KiB are shown to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email import message_from_bytes
from functools import partial

from services.ingest.domain.parsed import Failure

_OCTETS = 128 << 10
_BOUNDARIES = 50
_LONG_LINE = re.compile(rb"([^\n]{500})[^\n]*+")
_MOST = 100


def bounced(octets: bytes) -> Sequence[Failure]:
    """The recipients it finds, those that may still be delivered as `delayed`; empty where it finds none or breaks."""
    shown = _LONG_LINE.sub(rb"\1", octets[:_OCTETS])
    if shown.lower().count(b"boundary=") > _BOUNDARIES:
        return ()
    from flufl.bounce import all_failures  # loaded by the first mail that needs it: most children never do

    try:
        temporary, permanent = all_failures(message_from_bytes(shown))
    except Exception:  # a heuristic that breaks on a mail has found nothing in it
        return ()
    found = [*map(partial(_failure, "failed"), permanent), *map(partial(_failure, "delayed"), temporary - permanent)]
    return sorted((each for each in found if each), key=lambda each: each.address)[:_MOST]


def _failure(action: str, address: bytes) -> Failure | None:
    text = address.decode("utf-8", "replace").strip("<> ")
    return Failure(text[:320], action) if "@" in text and text.isprintable() and " " not in text else None
