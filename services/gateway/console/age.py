"""How old the news about a message is, so that a page never goes back to what was. Pure."""

from __future__ import annotations

from typing import Any, Final

FINAL: Final = 1_000_000


def age_of(message: Any) -> int:
    """How far the message has come, comparable over all it can go through (DESIGN section 3).

    accepted < queued < committed < deferred (queued again) < committed … < parked < final; then what is added to it.
    """
    step = {"accepted": 0, "committed": 1, "queued": 2}.get(str(message.status))
    attempt = max(message.attempt or 0, int(step == 1))  # what is committed has been attempted
    came = FINAL + (not message.parked) if step is None else 4 * attempt + step
    decided = sum(cancel.outcome is not None for cancel in message.cancels)
    added = len(message.cancels) + decided + len(message.bounces) + (message.resolution is not None)
    return came * 1_000 + min(added, 999)
