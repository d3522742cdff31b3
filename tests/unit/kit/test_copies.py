"""Copies are at most a second old, and where many ask nobody waits for that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.operator import OperatorChanged
from services.kit import copies
from services.kit.copies import Copies
from services.kit.ids import uuid7

ANA = str(uuid7())
FRESH_S = 0.2


class FakeCollection:
    """Finds operators; counts the reads, and makes them wait while ``gate`` is shut."""

    def __init__(self) -> None:
        self.version, self.reads, self.gate = 1, 0, asyncio.Event()
        self.gate.set()

    def find(self, query: dict[str, Any]) -> FakeCollection:
        self.reads += 1
        self.asked = query["_id"]["$in"]
        return self

    async def to_list(self, _: None) -> list[dict[str, Any]]:
        await self.gate.wait()
        fields = OperatorChanged(operator_id=ANA, name="Ana", version=self.version).model_dump(mode="json")
        return [{"_id": doc_id, "fields": fields} for doc_id in self.asked if ANA in doc_id]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "FRESH_S", FRESH_S)


def operators() -> tuple[FakeCollection, Copies[OperatorChanged]]:
    collection: Any = FakeCollection()
    return collection, Copies(collection, OperatorChanged)


async def test_callers_at_the_same_time_share_a_read_and_unknown_ones_are_remembered() -> None:
    collection, held = operators()
    found = await asyncio.gather(*(held.get("acme", one) for one in [ANA] * 20 + ["nobody"] * 20))
    assert collection.reads == 1
    assert [one is not None for one in found] == [True] * 20 + [False] * 20
    assert await held.get("acme", "nobody") is None
    assert collection.reads == 1


async def test_a_copy_is_read_again_while_it_is_still_good_and_nobody_waits_for_it() -> None:
    collection, held = operators()
    await held.get("acme", ANA)
    await asyncio.sleep(FRESH_S * 0.6)
    collection.version = 2
    collection.gate.clear()
    found = await asyncio.wait_for(held.get("acme", ANA), FRESH_S / 10)
    assert found is not None
    assert found.version == 1
    collection.gate.set()
    await asyncio.sleep(FRESH_S * 0.2)
    found = await held.get("acme", ANA)
    assert found is not None
    assert (found.version, collection.reads) == (2, 2)


async def test_an_old_copy_is_waited_for() -> None:
    collection, held = operators()
    await held.get("acme", ANA)
    collection.version = 2
    await asyncio.sleep(FRESH_S * 1.1)
    found = await held.get("acme", ANA)
    assert found is not None
    assert found.version == 2
