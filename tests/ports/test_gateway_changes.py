"""The feed of changes on a real change stream: what is told, what is not, and what a reader who comes back gets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from contracts.event import Trace
from contracts.threading import Keyring
from services.gateway.adapters import change_stream
from services.gateway.adapters.change_feed import ChangeFeed
from services.gateway.adapters.change_ids import ChangeIds
from services.gateway.adapters.followers import Waiting
from services.gateway.adapters.mongo_changes import MongoChanges
from services.gateway.adapters.mongo_messages import MongoMessages
from services.gateway.adapters.waiters import Waiters
from services.gateway.domain.change import Change, Reset, Signal
from services.gateway.domain.message import Progress, Status
from services.gateway.handlers.accept_message import send_requested
from services.gateway.ports import Key
from services.kit.ids import uuid7
from services.kit.mongo import Client, Database
from services.kit.owed import MongoOwed
from tests.fakes.relay import FakeRelay
from tests.ports.test_gateway_messages import CHANNEL, CONVERSATION, TENANT, message

IDS = ChangeIds(Keyring("k", {"k": b"1" * 32}))


@dataclass
class Replica:
    """One gateway's feed, turning."""

    feed: ChangeFeed
    waiters: Waiters

    async def follow(self, after: str | None = None) -> tuple[Waiting, str]:
        """A reader that has been let in, and where it stands."""
        reader = self.feed.follow(TENANT, after)
        assert isinstance(reader, Waiting)
        signals = await until(reader, lambda _: True)
        position: str = signals[-1].position  # type: ignore[union-attr]
        return reader, position


@pytest.fixture
async def replicas(mongo_database: Database) -> AsyncIterator[list[Replica]]:
    made, turning = [], []
    for _ in range(2):
        waiters = Waiters()
        feed = ChangeFeed(MongoChanges(mongo_database), IDS, waiters.hear, lambda: False)
        made.append(Replica(feed, waiters))
        turning.append(asyncio.create_task(feed.run()))
    yield made
    for task in turning:
        task.cancel()
    await asyncio.gather(*turning, return_exceptions=True)


async def until(reader: Waiting, enough: Callable[[list[Signal]], bool], within_s: float = 20) -> list[Signal]:
    limit, heard = time.monotonic() + within_s, list[Signal]()
    while not heard or not enough(heard):
        assert time.monotonic() < limit, heard
        heard += await reader.next(0.2)
    return heard


def told(heard: list[Signal]) -> list[tuple[str, str, str | None]]:
    return [(str(one.kind), one.id, one.conversation_id) for one in heard if isinstance(one, Change)]


async def test_messages_are_told_with_their_conversation_and_payments_are_not(
    mongo_database: Database, replicas: list[Replica]
) -> None:
    store = MongoMessages(mongo_database["messages"], FakeRelay())
    owed = MongoOwed(mongo_database["messages"], "gateway")
    (reader, _), made = await replicas[0].follow(), message()
    event = send_requested(made, Trace())
    await store.accept(made, Key("k", "h"), event)
    mine = ("message", made.message_id, CONVERSATION)
    assert told(await until(reader, lambda heard: told(heard) == [mine])) == [mine]
    await store.advance(TENANT, made.message_id, Progress(Status.QUEUED, 1))
    assert told(await until(reader, lambda heard: told(heard) == [mine])) == [mine]
    await owed.paid(f"{TENANT}/{made.message_id}", [event.id])
    foreign = message(tenant="other")
    await store.accept(foreign, Key("k", "h"), send_requested(foreign, Trace()))
    await mongo_database["channels"].insert_one({"_id": f"{TENANT}/{CHANNEL}", "tenant": TENANT})
    await mongo_database["statuses"].insert_one({"_id": f"{TENANT}/{CHANNEL}/imap", "tenant": TENANT})
    await mongo_database["elsewhere"].insert_one({"_id": f"{TENANT}/x"})
    last = ("channel_status", CHANNEL, None)
    heard = await until(reader, lambda heard: last in told(heard))
    assert told(heard) == [("channel", CHANNEL, None), last]


async def test_who_comes_back_to_another_replica_gets_what_it_missed(
    mongo_database: Database, replicas: list[Replica]
) -> None:
    store = MongoMessages(mongo_database["messages"], FakeRelay())
    reader, _ = await replicas[0].follow()
    made = [message() for _ in range(3)]
    for n, one in enumerate(made):
        await store.accept(one, Key(str(n), "h"), send_requested(one, Trace()))
    heard = [one for one in await until(reader, lambda heard: len(told(heard)) == 3) if isinstance(one, Change)]
    reader.close()
    await store.advance(TENANT, made[0].message_id, Progress(Status.QUEUED, 1))
    back = replicas[1].feed.follow(TENANT, heard[1].position)
    assert isinstance(back, Waiting)
    missed = await until(back, lambda heard: len(told(heard)) == 2)
    assert [one[1] for one in told(missed)] == [made[2].message_id, made[0].message_id]
    versions = [one.version for one in missed if isinstance(one, Change)]
    assert versions == sorted(versions)


async def test_a_change_by_another_replica_wakes_who_waits(mongo_database: Database, replicas: list[Replica]) -> None:
    await replicas[0].follow()
    looked: list[float] = []
    message_id = str(uuid7())

    async def look() -> bool | None:
        looked.append(time.monotonic())
        return None

    waiting = asyncio.create_task(replicas[0].waiters.until(f"message/{TENANT}/{message_id}", look, 1.2))
    await asyncio.sleep(0.9)
    before = len(looked)
    await mongo_database["messages"].insert_one({"_id": f"{TENANT}/{message_id}", "conversation_id": "c"})
    began = time.monotonic()
    while len(looked) == before and time.monotonic() - began < 1:
        await asyncio.sleep(0.005)
    await waiting
    assert len(looked) > before


async def test_a_stream_that_is_cut_resets_its_readers_and_goes_on(
    mongo_client: Client, mongo_database: Database, replicas: list[Replica]
) -> None:
    await mongo_database["messages"].insert_one({"_id": f"{TENANT}/a", "conversation_id": "c"})
    reader, _ = await replicas[0].follow()
    await mongo_client.drop_database(mongo_database.name)
    await until(reader, lambda heard: any(isinstance(one, Reset) for one in heard))
    await mongo_database["messages"].insert_one({"_id": f"{TENANT}/b", "conversation_id": "c"})
    await until(reader, lambda heard: ("message", "b", "c") in told(heard))


async def test_reading_ends_with_its_reader(mongo_database: Database) -> None:
    stream = change_stream.changes(mongo_database, await change_stream.operation_time(mongo_database), None)
    assert (await anext(stream)).changes == ()
    await stream.aclose()  # type: ignore[attr-defined]
