"""The kill plan is seeded, spares nobody, and takes every eighth victim from the servers."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import cast

from tests.chaos.ground import Ground
from tests.chaos.killer import EVERY, SERVERS, SERVICES, Killer

NOWHERE = cast(Ground, None)


def test_every_eighth_is_a_server_and_nobody_is_spared() -> None:
    plan = Killer(NOWHERE, Random(1)).plan(100)
    assert all((one in SERVERS) == (n % EVERY == EVERY - 1) for n, one in enumerate(plan))
    hits = Counter(plan)
    assert set(hits) == {*SERVERS, *SERVICES}
    assert min(hits[one] for one in SERVICES) >= 15


def test_the_plan_repeats_by_seed() -> None:
    first, again, other = (Killer(NOWHERE, Random(seed)).plan(24) for seed in (5, 5, 6))
    assert first == again != other
