"""Lanes, statuses and the database's clock on a real MongoDB."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from contracts.event import event
from services.kit.clock import SystemClock
from services.kit.ids import uuid7
from services.kit.mongo import Database
from services.kit.owed import MongoOwed
from services.outbox.adapters import indexes
from services.outbox.adapters.mongo_clock import MongoClock
from services.outbox.adapters.mongo_lanes import MongoLanes
from services.outbox.adapters.mongo_status import MongoStatuses
from services.outbox.domain.smtp_status import SmtpStatus
from services.outbox.ports import Lane
from tests.fakes.clock import FakeClock

TENANT, OTHER = str(uuid7()), str(uuid7())
ME, YOU = "replica-1", "replica-2"


def now() -> datetime:
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


PAST = now() - timedelta(minutes=1)


@pytest.fixture
async def lanes(mongo_database: Database) -> MongoLanes:
    await indexes.ensure(mongo_database)
    return MongoLanes(mongo_database[indexes.LANES])


def names(found: list[Lane] | object) -> list[tuple[str, str]]:
    assert isinstance(found, list)
    return [(lane.tenant, lane.channel_id) for lane in found]


async def test_a_woken_lane_is_taken_by_one_replica_alone(lanes: MongoLanes) -> None:
    await asyncio.gather(*(lanes.wake(TENANT, "a", PAST + timedelta(seconds=n)) for n in (2, 0, 1)))
    await lanes.wake(TENANT, "b", now() + timedelta(minutes=1))
    began = now()
    mine, theirs = await asyncio.gather(*(lanes.claim(owner, now(), 5, 10) for owner in (ME, YOU)))
    (taken,) = [*mine, *theirs]
    assert (taken.tenant, taken.channel_id, taken.next_due_at, taken.failures) == (TENANT, "a", PAST, 0)
    assert taken.until is not None
    assert began <= taken.until - timedelta(seconds=5) <= now()
    assert await lanes.claim_one(ME if theirs else YOU, TENANT, "a", 5) is None
    assert await lanes.claim_one(ME if mine else YOU, TENANT, "a", 5) is not None


async def test_a_lapsed_lane_is_taken_over_and_its_owner_has_lost_it(lanes: MongoLanes) -> None:
    await lanes.wake(TENANT, "a", PAST)
    assert len(await lanes.claim(ME, now(), 0.05, 10)) == 1
    await asyncio.sleep(0.1)
    assert not await lanes.claim(YOU, now(), 5, 10)
    await lanes.wake(TENANT, "a", PAST)
    assert names(await lanes.claim(YOU, now(), 5, 10)) == [(TENANT, "a")]
    assert not await lanes.renew(ME, 5)
    await lanes.release(ME, TENANT, "a", PAST)
    assert await lanes.claim_one(ME, TENANT, "a", 5) is None
    assert names(list(await lanes.renew(YOU, 5))) == [(TENANT, "a")]


async def test_an_owned_lane_is_nobody_elses_however_often_it_is_woken(lanes: MongoLanes) -> None:
    for n in range(60):
        await lanes.wake(TENANT, f"{n:02}", PAST)
    taken = await asyncio.gather(*(lanes.claim(owner, now(), 60, 25) for owner in (ME, YOU, ME, YOU)))
    held = [name for found in taken for name in names(found)]
    assert len(held) == len(set(held))
    await asyncio.gather(*(lanes.wake(TENANT, f"{n:02}", PAST) for n in range(60)))
    held += names(await lanes.claim("replica-3", now(), 60, 100))
    assert len(held) == len(set(held)) == 60


async def test_tenants_take_turns(lanes: MongoLanes) -> None:
    for n in range(20):
        await lanes.wake(TENANT, f"t{n:02}", PAST + timedelta(seconds=n))
    for n in range(3):
        await lanes.wake(OTHER, f"o{n}", PAST + timedelta(seconds=30 + n))
    first = await lanes.claim(ME, now(), 5, 5)
    assert names(first) == [(TENANT, "t00"), (OTHER, "o0"), (TENANT, "t01"), (OTHER, "o1"), (TENANT, "t02")]
    assert names(await lanes.claim(ME, now(), 5, 3)) == [(TENANT, "t03"), (OTHER, "o2"), (TENANT, "t04")]
    assert len(await lanes.claim(ME, now(), 5, 100)) == 15
    assert not await lanes.claim(ME, now(), 5, 100)


async def test_what_was_woken_while_it_was_owned_is_told_and_outlives_the_release(lanes: MongoLanes) -> None:
    await lanes.claim_one(ME, TENANT, "a", 5)
    assert [lane.next_due_at for lane in await lanes.renew(ME, 5)] == [None]
    await lanes.wake(TENANT, "a", PAST)
    assert [lane.next_due_at for lane in await lanes.renew(ME, 5)] == [PAST]
    assert [lane.next_due_at for lane in await lanes.renew(ME, 5)] == [None]
    await lanes.wake(TENANT, "a", PAST)
    await lanes.release(ME, TENANT, "a", now() + timedelta(minutes=1))
    assert names(await lanes.claim(YOU, now(), 5, 10)) == [(TENANT, "a")]
    await lanes.release(YOU, TENANT, "a", None)
    assert not await lanes.claim(ME, now() + timedelta(hours=1), 5, 10)
    await lanes.wake(TENANT, "a", PAST)
    assert names(await lanes.claim(ME, now(), 5, 10)) == [(TENANT, "a")]


async def test_a_paused_lane_rests_and_counts(lanes: MongoLanes) -> None:
    await lanes.wake(TENANT, "a", PAST)
    until = now() + timedelta(minutes=1)
    assert (await lanes.pause(TENANT, "a", until)).failures == 1
    paused = await lanes.pause(TENANT, "a", until)
    assert (paused.failures, paused.paused_until) == (2, until)
    assert not await lanes.claim(ME, now(), 5, 10)
    proving = await lanes.claim_one(ME, TENANT, "a", 5)
    assert proving is not None
    assert proving.paused_until == until
    await lanes.resume(TENANT, "a")
    await lanes.resume(TENANT, "a")
    await lanes.release(ME, TENANT, "a", PAST)
    (taken,) = await lanes.claim(ME, now(), 5, 10)
    assert (taken.failures, taken.paused_until) == (0, None)
    assert (await lanes.pause(TENANT, "new", PAST)).failures == 1
    await lanes.drop(TENANT, "a")
    assert not await lanes.renew(ME, 5)


async def test_changes_are_heard(lanes: MongoLanes) -> None:
    heard: list[Lane] = []

    async def listen() -> None:
        async for lane in lanes.changes():
            heard.append(lane)

    listening = asyncio.create_task(listen())
    await lanes.wake(TENANT, "a", PAST)
    while not heard:
        await lanes.wake(TENANT, "a", PAST)
        await lanes.claim_one(ME, TENANT, "a", 5)
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    heard.clear()
    await lanes.renew(ME, 5)
    await asyncio.sleep(0.2)
    assert not heard
    await lanes.wake(TENANT, "a", PAST)
    await lanes.pause(TENANT, "b", PAST)
    async with asyncio.timeout(5):
        while {lane.channel_id for lane in heard} != {"a", "b"}:
            await asyncio.sleep(0.01)
    assert next(lane for lane in heard if lane.channel_id == "a").next_due_at == PAST
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


def status(**changes: object) -> SmtpStatus:
    made = SmtpStatus(TENANT, str(uuid7()), 1, ConnectionState.CONNECTING.value, ConnectionReason.NONE.value, now())
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_status_is_written_with_its_event_by_one_writer(mongo_database: Database) -> None:
    await indexes.ensure(mongo_database)
    collection = mongo_database[indexes.STATUSES]
    store, first = MongoStatuses(collection), status()
    said = ChannelStatusChanged(
        version=1, channel_id=first.channel_id, direction=Direction.SMTP, state=ConnectionState.CONNECTING,
        reason=ConnectionReason.NONE, since=first.since,
    )  # fmt: skip
    fact = event(TENANT, said, at=PAST, source="outbox")
    assert await store.load(TENANT, first.channel_id) is None
    assert [await store.write(None, first, [fact]) for _ in range(2)] == [True, False]
    assert await store.load(TENANT, first.channel_id) == first
    second = replace(first, version=2, state="connected", proven_at=now(), next_retry_at=now(), channel_version=3)
    assert [await store.write(first, second, []) for _ in range(2)] == [True, False]
    third = replace(second, version=3, next_retry_at=None)
    assert await store.write(second, third, [])
    assert await store.load(TENANT, first.channel_id) == third
    (owing,) = await MongoOwed(collection, "outbox").owing(10)
    assert owing.events == (fact,)
    await store.drop(TENANT, first.channel_id)
    assert await store.load(TENANT, first.channel_id) is None


async def test_stale_statuses_are_to_be_proven(mongo_database: Database) -> None:
    store = MongoStatuses(mongo_database[indexes.STATUSES])
    wanted = [
        status(),
        status(state="connected", proven_at=PAST - timedelta(hours=7)),
        status(state="auth_failed", next_retry_at=PAST),
        status(state="unreachable", proven_at=now(), next_retry_at=PAST),
    ]
    rest = [
        status(state="connected", proven_at=now()),
        status(state="auth_failed", next_retry_at=now() + timedelta(hours=1)),
        status(state="disabled"),
    ]
    for each in wanted + rest:
        await store.write(None, each, [])
    found = await store.stale(PAST, 10)
    assert {each.channel_id for each in found} == {each.channel_id for each in wanted}


async def test_the_databases_clock_goes_on_between_two_hearings(mongo_database: Database) -> None:
    heard = MongoClock(mongo_database, SystemClock())
    with pytest.raises(RuntimeError):
        heard.now()
    await heard.sync()
    assert abs(heard.now() - datetime.now(UTC)) < timedelta(seconds=1)
    held = FakeClock()
    carried = MongoClock(mongo_database, held)
    await carried.sync()
    before = carried.now()
    held.advance(2.5)
    assert carried.now() - before == timedelta(seconds=2.5)
