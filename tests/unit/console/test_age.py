"""The status line: what it says while the channel sends nothing, and that it never goes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.gateway.console.age import age_of
from services.gateway.console.catalogue import LANGUAGES, words
from services.gateway.console.moments import Moments
from services.gateway.console.states import line_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DOWN = SimpleNamespace(state="unreachable", reason="refused_connection", next_retry_at=NOW + timedelta(minutes=5))
UP = SimpleNamespace(state="connected", reason="none", next_retry_at=None)


def message(status: str, **changes: Any) -> Any:
    """As the REST interface shows it."""
    empty: dict[str, Any] = {
        "status": status, "attempt": None, "parked": False, "resolution": None, "cancels": (), "bounces": (),
        "recipients": (), "undo_until": None, "next_attempt_at": None, "finished_at": None, "accepted_at": NOW,
        "undo_seconds": 10, "reason": None, "interrupted_by": (),
    }  # fmt: skip
    return SimpleNamespace(**{**empty, **changes})


def test_a_message_only_grows_older() -> None:
    asked, answered = SimpleNamespace(outcome=None), SimpleNamespace(outcome="too_late")
    course = [
        message("accepted"), message("queued"), message("queued", cancels=(asked,)),
        message("committed", attempt=1, cancels=(asked,)), message("queued", attempt=1, cancels=(asked,)),
        message("committed", attempt=2, cancels=(asked,)), message("failed", attempt=2, parked=True, cancels=(asked,)),
        message("failed", attempt=2, parked=True, cancels=(answered,)),
        message("failed", attempt=2, cancels=(answered,), resolution=object()),
        message("failed", attempt=2, cancels=(answered,), resolution=object(), bounces=(object(),)),
    ]  # fmt: skip
    assert all(age_of(before) < age_of(after) for before, after in pairwise(course))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_that_waits_for_the_mail_server_says_so_and_keeps_its_clock(language: str) -> None:
    t, moments = words(language), Moments(words(language), ZoneInfo("UTC"), NOW)
    over, running = message("queued", undo_until=NOW), message("queued", undo_until=NOW + timedelta(seconds=5))
    line = line_of(over, t, moments, {}, DOWN)
    assert (line.state, line.word, line.clock) == ("paused", t("st.paused"), True)
    assert t("c.unreachable").lower() in line.detail.lower()
    assert "12:05" in line.detail
    assert line_of(over, t, moments, {}, UP).state == line_of(over, t, moments, {}).state == "due"
    counting = line_of(running, t, moments, {}, DOWN)
    assert (counting.state, counting.after) == ("queued", (line.word, line.detail))
    assert line_of(running, t, moments, {}, UP).after is None
    assert line_of(message("sent"), t, moments, {}, DOWN).state == "sent"
