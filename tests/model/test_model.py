"""The outbound protocol under seeded schedules; ``MODEL_SEEDS`` says how many."""

from __future__ import annotations

import os

import pytest

from tests.model.mutations import MUTATIONS, caught
from tests.model.run import play

SEEDS = int(os.environ.get("MODEL_SEEDS", "300"))


def test_every_promise_holds_under_every_schedule() -> None:
    """No seed breaks a promise, and the seeds reach every kind of end, and its one correction."""
    ends, resolved = set(), 0
    for seed in range(SEEDS):
        world = play(seed)
        ends.add(world.ended.split("(")[0])
        resolved += world.witness.resolved()
    assert ends == {"sent", "failed", "interrupted"}
    assert resolved


def test_a_seed_plays_the_same_again() -> None:
    """A failing seed can be replayed."""
    first, second = play(7), play(7)
    assert first.scheduler.trace == second.scheduler.trace


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_rule_taken_out_is_noticed(name: str) -> None:
    """Each of the fourteen rules, missing, breaks a promise."""
    assert caught(name)
