"""What stands after the start is out of every collection's way."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from services.kit import memory


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_after_the_start_a_collection_looks_at_what_came_since_alone() -> None:
    memory.settle()
    assert gc.get_freeze_count() > 1_000
    assert len(gc.get_objects()) < gc.get_freeze_count() / 10
    assert gc.get_threshold()[0] == memory.YOUNG


async def test_free_pages_go_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr(memory, "EVERY_S", 0.005)
    monkeypatch.setattr(memory, "_give_back", given.append)
    tidying = asyncio.create_task(memory.tidy())
    await asyncio.sleep(0.03)
    tidying.cancel()
    assert len(given) >= 2
