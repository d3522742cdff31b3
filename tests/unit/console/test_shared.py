"""What is made once for many: never older than the question, never more work than two rounds of it."""

from __future__ import annotations

import asyncio

import pytest

from services.gateway.console.shared import Shared


class World:
    """Something that changes, and how often it was looked at."""

    def __init__(self) -> None:
        self.now, self.looks = 0, 0

    async def look(self) -> str:
        """What it is at the beginning of the look."""
        self.looks += 1
        seen = self.now
        await asyncio.sleep(0.001)
        return f"{seen}"


async def test_many_who_ask_at_once_cost_two_looks() -> None:
    world, shared = World(), Shared[str]()
    found = await asyncio.gather(*(shared.get("list", world.look) for _ in range(200)))
    assert set(found) == {"0"}
    assert world.looks == 2


async def test_nobody_gets_what_was_seen_before_they_asked() -> None:
    world, shared = World(), Shared[str]()

    async def ask() -> None:
        asked = world.now
        assert int(await shared.get("list", world.look)) >= asked

    async with asyncio.TaskGroup() as group:
        for _ in range(300):
            world.now += 1
            group.create_task(ask())
            await asyncio.sleep(0.0002)
    assert await shared.get("list", world.look) == "300"


async def test_what_differs_is_made_apart_and_the_oldest_is_forgotten() -> None:
    shared = Shared[str](kept=2)

    async def made(name: str) -> str:
        return name

    for name in ("a", "b", "c"):
        assert await shared.get(name, lambda name=name: made(name)) == name  # type: ignore[misc]
    assert list(shared._pieces) == ["b", "c"]


async def test_a_failure_is_nobody_elses() -> None:
    world, shared = World(), Shared[str]()

    async def broken() -> str:
        raise OSError("the database is gone")

    with pytest.raises(OSError, match="gone"):
        await shared.get("list", broken)
    assert await shared.get("list", world.look) == "0"
