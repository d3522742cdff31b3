"""The backlog: never passed by one replica, nobody waits for a count every second, nobody is refused by an old one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.gateway.adapters import backlog
from services.gateway.adapters.backlog import MongoBacklog
from services.kit.mongo import Collection

FRESH_S = 0.1


class FakeCollection:
    """Counts what stands; a count waits while ``gate`` is shut."""

    def __init__(self) -> None:
        self.open, self.counts, self.gate = 0, 0, asyncio.Event()
        self.gate.set()

    async def count_documents(self, query: dict[str, Any], limit: int, hint: str) -> int:
        self.counts += 1
        found = self.open
        await self.gate.wait()
        return min(found, limit)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "FRESH_S", FRESH_S)


def held(most: int) -> tuple[FakeCollection, MongoBacklog]:
    made: Any = FakeCollection()
    collection: Collection = made
    return made, MongoBacklog(collection, most)


async def test_many_at_once_share_a_count_and_stop_at_the_limit() -> None:
    collection, limit = held(5)
    collection.open = 2
    refused = await asyncio.gather(*(limit.full("acme") for _ in range(10)))
    assert (collection.counts, refused.count(False)) == (1, 3)


async def test_a_count_is_renewed_while_it_is_used_and_what_comes_meanwhile_is_not_forgotten() -> None:
    collection, limit = held(5)
    assert not await limit.full("acme")
    await asyncio.sleep(FRESH_S * 1.2)
    collection.gate.clear()
    assert not await asyncio.wait_for(limit.full("acme"), FRESH_S / 2)
    assert not await asyncio.wait_for(limit.full("acme"), FRESH_S / 2)
    collection.open = 1
    collection.gate.set()
    await asyncio.sleep(0.01)
    assert collection.counts == 2
    assert [await limit.full("acme") for _ in range(4)].count(False) >= 2


async def test_an_old_count_refuses_nobody_and_a_very_old_one_is_waited_for() -> None:
    collection, limit = held(2)
    collection.open = 2
    assert await limit.full("acme")
    collection.open = 1
    await asyncio.sleep(FRESH_S * 1.2)
    assert not await limit.full("acme")
    collection.open = 2
    await asyncio.sleep(FRESH_S * 2.2)
    assert await limit.full("acme")
