"""The clocks and the ids."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.kit.clock import Clock, SystemClock
from services.kit.ids import uuid7
from tests.fakes.clock import FakeClock


def test_ids_are_version_seven_of_the_standard_type_and_sort_by_time() -> None:
    made = [uuid7() for _ in range(1_000)]
    assert type(made[0]) is UUID
    assert {one.version for one in made} == {7}
    assert len(set(made)) == 1_000
    assert made == sorted(made)


async def test_the_system_clock_is_aware_and_moves() -> None:
    clock: Clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.01)
    await clock.sleep(-1)
    assert clock.monotonic() - before >= 0.009
    assert clock.now().tzinfo is UTC


async def test_the_fake_advances_by_itself() -> None:
    clock = FakeClock()
    start = clock.now()
    await clock.sleep(60)
    assert clock.now() - start == timedelta(seconds=60)


async def test_the_fake_lets_sleepers_wait() -> None:
    clock = FakeClock(auto=False)
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (3, 1, 2):
            group.create_task(sleeper(seconds))
        await asyncio.sleep(0)
        assert clock.sleepers == 3
        clock.advance(2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert woken == [1, 2]
        clock.set(clock.now() + timedelta(seconds=1))
    assert woken == [1, 2, 3]


def test_the_fake_does_not_run_backwards() -> None:
    with pytest.raises(ValueError):
        FakeClock().set(datetime(2020, 1, 1, tzinfo=UTC))
