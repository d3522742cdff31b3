"""How close a race was is read from stamps; the loser's is taken from the middle of the winners'."""

from __future__ import annotations

import pytest

from tests.chaos.history import Accepted, History, Record, Spoken, Wish
from tests.chaos.pairs import pairs, tally
from tests.chaos.verdict import messages


def raced(name: str, fired: float, *, won_at: float | None = None, committed_at: float | None = None) -> list[Record]:
    """One race of a message due at 100.0."""
    story: list[Record] = [
        Accepted("t", name, ("c@c.test",), 90.0),
        Wish(f"w{name}", "t", name, "rest", fired),
        Spoken("t", name, "MessageQueued", f"q{name}", 1, 91.0, due_at=100.0),
    ]
    if won_at is not None:
        return [*story, Spoken("t", name, "MessageInterrupted", f"i{name}", 2, won_at)]
    assert committed_at is not None
    committed = Spoken("t", name, "MessageCommitted", f"c{name}", 2, committed_at)
    return [*story, committed, Spoken("t", name, "MessageSent", f"s{name}", 3, committed_at + 0.1)]


def test_the_losers_moment_comes_from_the_winners() -> None:
    # Commits come 20 ms after due, cancels arrive 10 ms after they were fired.
    story = [*raced("a", 99.99, won_at=100.0), *raced("b", 100.03, committed_at=100.02)]
    a, b = pairs(messages(History().add(*story)))
    assert a.cancel_won
    assert a.apart_s == pytest.approx(-0.02)
    assert not b.cancel_won
    assert b.apart_s == pytest.approx(0.02)


def test_far_pairs_are_not_close() -> None:
    story = [
        *raced("a", 99.0, won_at=99.01),
        *raced("b", 100.03, committed_at=100.02),
        *raced("c", 101.0, committed_at=100.02),
    ]
    found = tally(pairs(messages(History().add(*story))))
    assert (found.pairs, found.cancel_won, found.commit_won) == (3, 1, 2)
    assert (found.close_pairs, found.close_cancel_won, found.close_commit_won) == (1, 0, 1)


def test_other_shapes_are_no_race() -> None:
    story = raced("a", 99.0, won_at=99.01)
    story[1] = Wish("wa", "t", "a", "kafka", 80.0, "k", shape="before")
    assert pairs(messages(History().add(*story))) == []
