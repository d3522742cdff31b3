"""The aim finds the even race, each way for itself."""

from __future__ import annotations

from random import Random

import pytest

from tests.chaos.aim import SPREAD_S, Aim


@pytest.mark.parametrize("true_centre", [-0.08, 0.0, 0.06])
def test_the_centre_moves_to_where_both_sides_win(true_centre: float) -> None:
    chance = Random(3)
    aim = Aim(chance)
    other = aim.centre["kafka"]
    for _ in range(600):
        offset = aim.offset("rest")
        aim.learn("rest", cancel_won=offset < true_centre + chance.gauss(0, 0.01))
    assert aim.centre["rest"] == pytest.approx(true_centre, abs=0.02)
    assert aim.centre["kafka"] == other


def test_fires_within_the_spread() -> None:
    aim = Aim(Random(1))
    offsets = [aim.offset("rest") - aim.centre["rest"] for _ in range(200)]
    assert max(map(abs, offsets)) <= SPREAD_S
    assert max(offsets) > 0.04
    assert min(offsets) < -0.04
