"""What a line says about a message: the clock exactly while it can be interrupted, and why in the reader's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.gateway.console.catalogue import words
from services.gateway.console.moments import Moments
from services.gateway.console.states import icon_of, line_of, look_of, state_of_last, word_of_last

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
PT = words("pt-BR")
MOMENTS = Moments(PT, ZoneInfo("America/Sao_Paulo"), NOW)


def last(**changes: Any) -> Any:
    """The message a line of a list is about."""
    fields: dict[str, Any] = {
        "kind": "sent", "status": "sent", "parked": False, "returned": False, "resolved": None, "missed": 0,
        "addressed": 2, "undo_until": None, "next_attempt_at": None, "preview": "Bom dia",
    }  # fmt: skip
    return SimpleNamespace(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({}, "", "Bom dia"),
        ({"status": None}, "", "Bom dia"),
        ({"status": None, "kind": "bounce"}, "bounced", "Devolvida"),
        ({"status": "accepted"}, "accepted", "No reloginho"),
        ({"status": "queued", "undo_until": NOW + timedelta(seconds=8.2)}, "queued", "Sai em 0:09"),
        ({"status": "queued", "undo_until": NOW}, "due", "Prestes a sair"),
        ({"status": "queued", "next_attempt_at": NOW + timedelta(hours=1)}, "deferred", "Nova tentativa às 13:00"),
        ({"status": "committed"}, "committed", "Enviando…"),
        ({"missed": 1}, "partial", "Enviada a 1 de 2"),
        ({"returned": True}, "bounced", "Devolvida"),
        ({"status": "failed"}, "failed", "Não enviada"),
        ({"status": "failed", "parked": True}, "parked", "Pode ter sido enviada"),
        ({"status": "failed", "resolved": "marked_sent"}, "", "Bom dia"),
        ({"status": "interrupted"}, "interrupted", "Interrompida"),
        ({"status": "brand_new"}, "brand_new", PT("st.other")),
    ],
)
def test_a_line_of_a_list(changes: dict[str, Any], state: str, said: str) -> None:
    one = last(**changes)
    assert state_of_last(one, NOW) == state
    assert word_of_last(one, state, PT, MOMENTS) == said
    assert (look_of(state) == "clock") == (one.status in ("accepted", "queued"))
    assert icon_of(state) or not state or state == "brand_new"


def waiting(*recipients: Any, attempt: int = 1) -> Any:
    """A message that is to be tried again in an hour."""
    return SimpleNamespace(
        status="queued", resolution=None, parked=False, cancels=(), attempt=attempt, undo_until=NOW, undo_seconds=10,
        next_attempt_at=NOW + timedelta(hours=1) if attempt else None, finished_at=None, accepted_at=NOW,
        recipients=recipients, reason=None, interrupted_by=(), bounces=(),
    )  # fmt: skip


def answered(code: int | None, text: str | None = None) -> Any:
    """What a server said about one recipient."""
    return SimpleNamespace(state="open", code=code, enhanced=None, text=text, address="a@b.test")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (waiting(answered(451, "4.7.1 Greylisted, come back")), "r.greylisted"),
        (waiting(answered(421, "busy")), "r.server_busy"),
        (waiting(answered(None)), "r.connection_lost"),
        (waiting(attempt=0), "st.due.d"),
    ],
)
def test_why_a_message_waits(message: Any, why: str) -> None:
    line = line_of(message, PT, MOMENTS, {})
    assert line.clock
    assert line.detail == PT(why)


@pytest.mark.parametrize("attempt", [0, 1])
def test_a_channel_that_sends_nothing_says_so_and_the_clock_stays(attempt: int) -> None:
    line = line_of(
        waiting(answered(451), attempt=attempt),
        PT,
        MOMENTS,
        {},
        SimpleNamespace(state="auth_failed", next_retry_at=None),
    )
    assert line.clock
    assert line.detail == "O canal está parado: senha recusada. Pode ser interrompida."


@pytest.mark.parametrize(("reason", "said"), [(None, "st.sent.d"), ("sent_copy", "st.sent_copy.d")])
def test_a_message_found_in_the_sent_mailbox_is_sent_and_says_how_it_is_known(reason: str | None, said: str) -> None:
    sent = SimpleNamespace(
        status="sent", resolution=None, parked=False, cancels=(), attempt=1, undo_until=NOW, undo_seconds=10,
        next_attempt_at=None, finished_at=NOW, accepted_at=NOW, recipients=(), reason=reason, interrupted_by=(),
        bounces=(),
    )  # fmt: skip
    line = line_of(sent, PT, MOMENTS, {})
    assert (line.state, line.look) == ("sent", "ok")
    assert line.detail == PT(said, t=MOMENTS.near(NOW))
