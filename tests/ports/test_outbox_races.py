"""Commit against commit against cancel on a real MongoDB: of three at once one wins, never two, never none."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pymongo.errors import AutoReconnect

from services.kit.ids import uuid7
from services.kit.mongo import Client, Collection, Database, connect
from services.outbox.adapters import indexes
from services.outbox.adapters.mongo_outbox import MongoMessages
from services.outbox.domain.document import Cancel, Message, Raw, Recipient, Status, Transmission
from services.outbox.ports import Birth, Change, Fenced, Gone, Inserted, Lost, Unanswered, Won

TENANT, CHANNEL = str(uuid7()), str(uuid7())
MESSAGES, AT_ONCE = 2000, 300


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def message() -> Message:
    return Message(
        TENANT, str(uuid7()), Status.QUEUED, channel_id=CHANNEL, conversation_id=str(uuid7()),
        recipients=(Recipient("a@b.example"),), due_at=now() - timedelta(seconds=1), accepted_at=now(),
        expires_at=now() + timedelta(hours=1), raw=Raw("00", 3, octets=b"raw"),
    )  # fmt: skip


def committing(before: Message, by: str) -> Change:
    transmission = Transmission(by, ("a@b.example",), now())
    return Change(before, replace(before, status=Status.COMMITTED, version=2, attempt=1, transmission=transmission))


def cancelling(before: Message) -> Change:
    by = (Cancel(str(uuid7()), "who", now()),)
    return Change(before, replace(before, status=Status.INTERRUPTED, version=2, interrupted_by=by, terminal_at=now()))


async def in_disorder(seed: int, calls: list[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """All of them, at most so many at once, started in a shuffled order; answers in the order given."""
    places, answers = list(range(len(calls))), [None] * len(calls)
    random.Random(seed).shuffle(places)
    turn = asyncio.Semaphore(AT_ONCE)

    async def go(place: int) -> None:
        async with turn:
            answers[place] = await calls[place]()

    await asyncio.gather(*map(go, places))
    return answers


async def test_one_of_three_wins_and_the_document_is_the_winners(mongo_database: Database, servers: Any) -> None:
    clients: list[Client] = [connect(servers.mongo) for _ in range(2)]
    first, second = (MongoMessages(client[mongo_database.name][indexes.MESSAGES]) for client in clients)
    await indexes.ensure(mongo_database)
    born = await asyncio.gather(*(first.insert(Birth(message())) for _ in range(MESSAGES)))
    stand = [each.message for each in born if isinstance(each, Inserted)]
    calls: list[Callable[[], Awaitable[Any]]] = []
    for each in stand:
        calls.append(partial(first.commit, committing(each, f"1-{each.message_id}"), 7))
        calls.append(partial(second.commit, committing(each, f"2-{each.message_id}"), 7))
        calls.append(partial(second.write, cancelling(each)))
    answers = await in_disorder(1, calls)
    wins: Counter[str] = Counter()
    for at, each in enumerate(stand):
        one, two, cancelled = answers[3 * at : 3 * at + 3]
        won = [
            name for name, yes in (("1", isinstance(one, Won)), ("2", isinstance(two, Won)), ("c", cancelled)) if yes
        ]
        assert len(won) == 1, (won, one, two, cancelled)
        assert isinstance(one, Won | Lost)
        assert isinstance(two, Won | Lost)
        wins[won[0]] += 1
        found = await first.load(TENANT, each.message_id)
        assert found is not None
        assert found.version == 2
        assert (found.transmission.by[0] if found.transmission else "c") == won[0]
        assert found.status is (Status.INTERRUPTED if won[0] == "c" else Status.COMMITTED)
    assert len(wins) == 3, wins
    for client in clients:
        client.close()


class Deaf:
    """A collection whose bulk writes may be applied, but are never answered for."""

    def __init__(self, collection: Collection, applies: bool) -> None:
        self._collection, self._applies = collection, applies

    def __getattr__(self, name: str) -> Any:
        return getattr(self._collection, name)

    async def bulk_write(self, operations: Any, **options: Any) -> Any:
        if self._applies:
            await self._collection.bulk_write(operations, **options)
        raise AutoReconnect("the answer is lost")


async def test_an_unanswered_commit_is_settled_by_the_fence(mongo_database: Database) -> None:
    collection = mongo_database[indexes.MESSAGES]
    store = MongoMessages(collection)
    for applies in (True, False):
        deaf = MongoMessages(Deaf(collection, applies))  # type: ignore[arg-type]
        born = await store.insert(Birth(message()))
        assert isinstance(born, Inserted)
        before = born.message
        assert await deaf.commit(committing(before, "mine"), 7) == Unanswered()
        told = await deaf.fence(before, "mine")
        assert isinstance(told, Won if applies else Fenced)
        assert isinstance(await store.commit(committing(before, "late"), 7), Lost)
        assert isinstance(await deaf.fence(before, "late"), Gone)


async def test_the_sweeps_read_their_indexes(mongo_database: Database) -> None:
    await indexes.ensure(mongo_database)
    collection = mongo_database[indexes.MESSAGES]
    store = MongoMessages(collection)
    await asyncio.gather(*(store.insert(Birth(message())) for _ in range(200)))
    await mongo_database.command({"profile": 2})
    limit = now() + timedelta(minutes=1)
    await store.due(TENANT, CHANNEL, limit, 10)
    await store.due_lanes(limit, 10)
    await store.lapsed(10)
    await store.expired(10)
    await store.of_channel(TENANT, CHANNEL, 10)
    await store.orphans(limit, 10)
    await store.slim(limit, 10)
    await store.purge(limit, 10)
    await mongo_database.command({"profile": 0})
    asked = mongo_database["system.profile"].find({"op": {"$in": ["query", "command"]}, "ns": collection.full_name})
    plans = [(each.get("planSummary", ""), each["docsExamined"]) for each in await asked.to_list(None)]
    assert len(plans) == 8
    assert not [plan for plan, _ in plans if "IXSCAN" not in plan and "DISTINCT_SCAN" not in plan], plans
    assert [examined for plan, examined in plans if "DISTINCT_SCAN" in plan] == [0], plans
    assert sorted(examined for _, examined in plans)[-3:] == [0, 10, 10], plans
