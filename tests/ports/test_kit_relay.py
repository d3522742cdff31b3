"""Owed events and the relay on a real MongoDB: in order, repeated with the same id, removed exactly, never lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.event import AnyEvent, event
from contracts.operator import OperatorChanged
from services.kit import owed
from services.kit.copies import Copies
from services.kit.mongo import Collection, Database, key
from services.kit.owed import MongoOwed, owe, owed_event
from services.kit.relay import Relay
from services.kit.unavailable import Unavailable
from tests.fakes.publisher import FakePublisher

TENANT, OPERATOR = str(uuid4()), str(uuid4())
LONG_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)


def changed(version: int, *, at: datetime = LONG_AGO, name: str = "Ana") -> AnyEvent:
    """One version of the operator."""
    return event(TENANT, OperatorChanged(operator_id=OPERATOR, name=name, version=version), at=at, source="gateway")


@pytest.fixture
async def collection(mongo_database: Database) -> Collection:
    """Documents that owe."""
    made = mongo_database["operators"]
    await owed.index(made)
    return made


async def write(collection: Collection, *events: AnyEvent) -> str:
    """A document that owes these."""
    doc_id = key(TENANT, OPERATOR)
    document = {"_id": doc_id, "version": len(events), "owed_events": [owe(item) for item in events]}
    await collection.insert_one(document)
    return doc_id


async def test_what_is_owed_comes_back_as_it_was(collection: Collection) -> None:
    await write(collection, changed(1), changed(2))
    document = await collection.find_one({})
    assert document is not None
    assert [owed_event(TENANT, item, "gateway") for item in document["owed_events"]] == [changed(1), changed(2)]


async def test_the_sweep_publishes_in_order_and_pays(collection: Collection) -> None:
    await write(collection, changed(1), changed(2), changed(3))
    publisher = FakePublisher()
    relay = Relay(MongoOwed(collection, "gateway"), publisher)
    assert await relay.sweep() == 1
    assert [item.data.version for item in publisher.published] == [1, 2, 3]
    assert (await collection.find_one({}) or {})["owed_events"] == []
    assert await relay.sweep() == 0


async def test_a_failed_publish_is_repeated_with_the_same_id_and_nothing_overtakes_it(collection: Collection) -> None:
    doc_id = await write(collection, changed(1), changed(2))
    publisher = FakePublisher(failures=1, applied=True)
    relay = Relay(MongoOwed(collection, "gateway"), publisher)
    relay.hand_over(doc_id, [changed(1)])
    relay.hand_over(doc_id, [changed(1), changed(2)])
    await relay.drain()
    assert [item.data.version for item in publisher.published] == [1]
    await relay.sweep()
    assert [item.data.version for item in publisher.published] == [1, 1, 2]
    assert len({item.id for item in publisher.published}) == 2


async def test_what_is_written_meanwhile_stays_owed(collection: Collection) -> None:
    doc_id = await write(collection, changed(1))
    relay = Relay(MongoOwed(collection, "gateway"), FakePublisher())
    relay.hand_over(doc_id, [changed(1)])
    await collection.update_one({"_id": doc_id}, {"$push": {"owed_events": owe(changed(2))}})
    await relay.drain()
    left = await collection.find_one({}) or {}
    assert [item["version"] for item in left["owed_events"]] == [2]


async def test_the_sweep_leaves_what_was_written_just_now_to_its_writer(collection: Collection) -> None:
    await write(collection, changed(1, at=datetime.now(UTC)))
    assert await Relay(MongoOwed(collection, "gateway"), FakePublisher()).sweep() == 0


async def test_a_copy_never_goes_back(mongo_database: Database) -> None:
    copies = Copies(mongo_database["operators"], OperatorChanged)
    assert await copies.put(changed(2, name="Bea"))
    assert not await copies.put(changed(1, name="Ana"))
    assert not await copies.put(changed(2, name="Eva"))
    fresh = Copies(mongo_database["operators"], OperatorChanged)
    found = await fresh.get(TENANT, OPERATOR)
    assert found is not None
    assert (found.version, found.name) == (2, "Bea")


async def test_a_copy_that_is_late_is_waited_for(mongo_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = Copies(mongo_database["operators"], OperatorChanged)
    waiting = asyncio.create_task(copies.at_least(TENANT, OPERATOR, 2))
    await copies.put(changed(1))
    await asyncio.sleep(0.1)
    await Copies(mongo_database["operators"], OperatorChanged).put(changed(2))
    assert (await waiting).version == 2
    monkeypatch.setattr("services.kit.copies.PATIENCE_S", 0.1)
    with pytest.raises(Unavailable):
        await copies.at_least(TENANT, OPERATOR, 9)


async def test_what_was_paid_lately_is_not_published_twice(collection: Collection) -> None:
    doc_id = await write(collection, changed(1))
    publisher = FakePublisher()
    relay = Relay(MongoOwed(collection, "gateway"), publisher)
    relay.hand_over(doc_id, [changed(1)])
    await relay.drain()
    relay.hand_over(doc_id, [changed(1), changed(2)])
    await relay.drain()
    assert [item.data.version for item in publisher.published] == [1, 2]
