"""The checker must be able to fail: every kind of lie is told once, and the honest story beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.checker import judge, lie_of
from tests.chaos.history import Accepted, History, Record, Reply, Spoken, Taken, Wish
from tests.chaos.verdict import KINDS

M, T, CLIENT = "m1", "acme", "c@client.test"
TOOK = Accepted(T, M, (CLIENT,), 100.0)
WISH = Wish("w1", T, M, "rest", 104.9)
QUEUED = Spoken(T, M, "MessageQueued", "e1", 1, 101.0, due_at=105.0)
COMMITTED = Spoken(T, M, "MessageCommitted", "e2", 2, 105.01)
SENT = Spoken(T, M, "MessageSent", "e3", 3, 105.2, recipients={CLIENT: "accepted"})
FAILED = Spoken(T, M, "MessageFailed", "e3", 3, 105.2, reason="refused", recipients={CLIENT: "refused"})
PARKED = replace(FAILED, reason="outcome_unknown", recipients={CLIENT: "unknown"})
STOPPED = Spoken(T, M, "MessageInterrupted", "e3", 2, 104.95)
YES = Spoken(T, M, "InterruptAnswered", "a1", 2, 104.95, cancel_id="k1", outcome="interrupted", status="interrupted")
LATE = replace(YES, outcome="too_late", status="sent")
BYTES = Taken(M, (CLIENT,), 105.02, 105.03, 900, True, 250, True, 105.1)
REFUSED = replace(BYTES, code=451)
CUT = replace(BYTES, complete=False, code=0, sent=False, answered_at=None)
DOUBT = replace(BYTES, code=0, sent=False)
SAID_YES = Reply("w1", 105.0, 200, "interrupted", "interrupted", "k1")
SAID_LATE = Reply("w1", 105.3, 409, "too_late", "sent", "k1")


def found(*records: Record) -> dict[str, int]:
    return {kind: count for kind, count in judge(History().add(*records)).counts().items() if count}


HONEST = {
    "sent": (TOOK, QUEUED, COMMITTED, SENT, BYTES),
    "interrupted": (TOOK, WISH, SAID_YES, QUEUED, STOPPED, YES),
    "too late": (TOOK, WISH, SAID_LATE, QUEUED, COMMITTED, SENT, BYTES, LATE),
    "refused by the peer": (TOOK, QUEUED, COMMITTED, FAILED, replace(BYTES, code=554)),
    "deferred, then sent": (TOOK, QUEUED, REFUSED, COMMITTED, SENT, replace(BYTES, began_at=110.0, ended_at=110.1)),
    "deferred, then interrupted": (TOOK, WISH, QUEUED, REFUSED, replace(STOPPED, at=105.2), YES, SAID_YES),
    "cut inside the content, then sent": (TOOK, QUEUED, CUT, SENT, replace(BYTES, began_at=110.0, ended_at=110.1)),
    "an event told twice": (TOOK, QUEUED, QUEUED, COMMITTED, SENT, SENT, BYTES),
    "late while committed": (TOOK, WISH, replace(LATE, status="committed"), QUEUED, COMMITTED, SENT, BYTES),
    "a joined wish": (
        TOOK,
        WISH,
        Wish("w2", T, M, "rest", 104.9),
        SAID_YES,
        Reply("w2", 105.0, 202),
        QUEUED,
        STOPPED,
        YES,
    ),
    "late from a final state, nobody asked": (TOOK, WISH, replace(SAID_LATE, cancel_id=None), QUEUED, SENT, BYTES),
    "a foreign wish": (TOOK, Wish("x", "evil", M, "kafka", 104.0, "k9", True), QUEUED, COMMITTED, SENT, BYTES),
    "a foreign wish over REST": (
        TOOK,
        Wish("x", "evil", M, "rest", 104.0, None, True),
        Reply("x", 104.1, 404),
        QUEUED,
        SENT,
        BYTES,
    ),
    "a wish the gateway never took": (TOOK, WISH, Reply("w1", 105.0, 503), QUEUED, COMMITTED, SENT, BYTES),
}


@pytest.mark.parametrize("story", HONEST)
def test_an_honest_story_is_clean(story: str) -> None:
    verdict = judge(History().add(*HONEST[story]))
    assert verdict.clean, verdict.why


def test_a_parked_message_is_listed_and_breaks_no_promise() -> None:
    verdict = judge(History().add(TOOK, QUEUED, COMMITTED, PARKED, BYTES))
    assert verdict.parked == [M]
    assert verdict.clean, verdict.why


LIES: dict[str, tuple[str, tuple[Record, ...]]] = {
    "interrupted, and the peer took it": (
        "interrupted_and_transmitted",
        (TOOK, WISH, QUEUED, STOPPED, YES, SAID_YES, BYTES),
    ),
    "interrupted, and the peer may have it": (
        "interrupted_and_transmitted",
        (TOOK, WISH, QUEUED, STOPPED, YES, SAID_YES, DOUBT),
    ),
    "content left after the interrupt": (
        "interrupted_and_transmitted",
        (TOOK, WISH, QUEUED, STOPPED, YES, SAID_YES, CUT),
    ),
    "REST said interrupted, the peer took it": (
        "interrupted_and_transmitted",
        (TOOK, WISH, SAID_YES, QUEUED, SENT, BYTES, LATE),
    ),
    "one cancel, two answers": ("two_outcomes", (TOOK, WISH, SAID_LATE, QUEUED, SENT, BYTES, LATE, YES)),
    "one answer under two ids": ("two_outcomes", (TOOK, WISH, QUEUED, STOPPED, YES, replace(YES, event_id="a2"))),
    "one cancel, two statuses": (
        "two_outcomes",
        (TOOK, WISH, QUEUED, SENT, BYTES, LATE, replace(LATE, status="committed")),
    ),
    "answered interrupted, ended sent": ("untrue", (TOOK, WISH, QUEUED, SENT, BYTES, YES)),
    "answered too late, ended interrupted": ("untrue", (TOOK, WISH, QUEUED, STOPPED, LATE)),
    "answered too late (sent), ended failed": ("untrue", (TOOK, WISH, QUEUED, FAILED, LATE)),
    "answered unknown for a known message": (
        "untrue",
        (TOOK, WISH, QUEUED, SENT, BYTES, replace(YES, outcome="unknown_message", status=None)),
    ),
    "REST said too late, ended interrupted": ("untrue", (TOOK, WISH, SAID_LATE, QUEUED, STOPPED, YES)),
    "two ends": ("untrue", (TOOK, WISH, QUEUED, SENT, BYTES, replace(STOPPED, event_id="e9"), LATE)),
    "failed, and the peer took it": ("untrue", (TOOK, QUEUED, COMMITTED, FAILED, BYTES)),
    "a repeat with other content": ("untrue", (TOOK, QUEUED, SENT, replace(SENT, body="other"), BYTES)),
    "interrupted without a wish": ("untrue", (TOOK, QUEUED, STOPPED)),
    "a foreign wish interrupted it": (
        "untrue",
        (TOOK, Wish("x", "evil", M, "kafka", 104.0, "k9", True), QUEUED, STOPPED),
    ),
    "a foreign wish was answered": ("untrue", (TOOK, QUEUED, SENT, BYTES, replace(YES, tenant="evil", cancel_id="k9"))),
    "a foreign wish passed REST": (
        "untrue",
        (TOOK, Wish("x", "evil", M, "rest", 104.0, None, True), Reply("x", 104.1, 409), QUEUED, SENT, BYTES),
    ),
    "never settled": ("unsettled", (TOOK, QUEUED, COMMITTED)),
    "a cancel without an answer": (
        "unsettled",
        (TOOK, replace(WISH, via="kafka", cancel_id="k1"), QUEUED, SENT, BYTES),
    ),
    "REST promised to tell, and nobody did": (
        "unsettled",
        (TOOK, WISH, Reply("w1", 105.0, 202, None, None, "k1"), QUEUED, SENT, BYTES),
    ),
    "accepted and never heard of": ("lost", (TOOK,)),
    "said to be sent, the peer has nothing": ("lost", (TOOK, QUEUED, COMMITTED, SENT)),
    "sent to two, one has nothing": (
        "lost",
        (TOOK, QUEUED, replace(SENT, recipients={CLIENT: "accepted", "d@client.test": "accepted"}), BYTES),
    ),
    "two copies": ("doubled", (TOOK, QUEUED, SENT, BYTES, replace(BYTES, began_at=106.0))),
    "tried again after a lost reply": ("doubled", (TOOK, QUEUED, SENT, DOUBT, replace(BYTES, began_at=106.0))),
    "begun again after a lost reply": ("doubled", (TOOK, QUEUED, PARKED, DOUBT, replace(CUT, began_at=106.0))),
}


@pytest.mark.parametrize("lie", LIES)
def test_every_lie_is_caught(lie: str) -> None:
    kind, story = LIES[lie]
    assert kind in found(*story)


def test_every_kind_of_finding_has_a_lie_that_shows_it() -> None:
    assert {kind for kind, _ in LIES.values()} == set(KINDS) - {"parked"}


@pytest.mark.parametrize(
    ("outcome", "status", "end", "true"),
    [
        ("interrupted", "interrupted", "interrupted", True),
        ("already_interrupted", "interrupted", "interrupted", True),
        ("interrupted", "interrupted", None, False),
        ("too_late", "queued", "sent", False),
        ("too_late", "committed", "sent", True),
        ("too_late", "committed", None, False),
        ("too_late", "failed", "failed", True),
        ("other", None, "sent", False),
        ("unknown_message", None, None, True),
    ],
)
def test_an_answer_is_true_or_a_lie(outcome: str, status: str | None, end: str | None, true: bool) -> None:
    assert (lie_of(outcome, status, end, known=False) is None) is true


def test_a_history_survives_the_disk(tmp_path: Path) -> None:
    history = History().add(TOOK, WISH, SAID_LATE, QUEUED, SENT, BYTES, LATE)
    history.save(tmp_path / "history")
    assert History.load(tmp_path / "history") == history
