"""The MessageStore's contract, on the store in memory and on a real MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.conversation import Correspondent
from contracts.event import AnyEvent, Trace, event
from contracts.message import SignatureUsed
from contracts.outbound import MessageCommitted, MessageQueued
from contracts.signature import Why
from services.kit.ids import uuid7
from services.kit.mongo import Database
from services.outbox.adapters import indexes
from services.outbox.adapters.mongo_documents import difference, to_document, to_message
from services.outbox.adapters.mongo_outbox import MongoMessages
from services.outbox.domain.document import (
    Cancel,
    Message,
    Policy,
    Raw,
    Reason,
    Recipient,
    RecipientState,
    Status,
    Transmission,
)
from services.outbox.ports import Birth, Change, Fenced, Gone, Inserted, Lost, MessageStore, Standing, Ticket, Won
from tests.fakes.outbox_store import FakeDatabaseClock, FakeMessages

TENANT, CHANNEL, OTHER = str(uuid7()), str(uuid7()), str(uuid7())


def now() -> datetime:
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(slots=True)
class World:
    """A store and how its clock moves."""

    store: MessageStore
    pass_time: Callable[[float], Any]

    async def wait(self, seconds: float) -> None:
        """Let the store's clock move on."""
        moved = self.pass_time(seconds)
        if moved is not None:
            await moved


@pytest.fixture
def fake_world() -> World:
    clock = FakeDatabaseClock(now())  # stands still from here on: bounds in the tests are as wide as a test is long
    return World(FakeMessages(clock), clock.advance)


@pytest.fixture
async def mongo_world(mongo_database: Database) -> World:
    await indexes.ensure(mongo_database)
    await indexes.ensure(mongo_database)
    return World(MongoMessages(mongo_database[indexes.MESSAGES]), asyncio.sleep)


@pytest.fixture(params=["fake", "mongo"])
def world(request: pytest.FixtureRequest) -> World:
    made: World = request.getfixturevalue(f"{request.param}_world")
    return made


def message(**changes: Any) -> Message:
    """A queued message, due a second ago."""
    known: dict[str, Any] = {
        "tenant": TENANT, "message_id": str(uuid7()), "status": Status.QUEUED, "channel_id": CHANNEL,
        "conversation_id": str(uuid7()), "operator_id": str(uuid7()), "internet_message_id": "<$a.b@c>",
        "recipients": (Recipient("a@b.example"), Recipient("$c@b.example")), "accepted_at": now(),
        "due_at": now() - timedelta(seconds=1), "expires_at": now() + timedelta(hours=1),
        "raw": Raw("00ff", 3, octets=b"raw"), "traceparent": "00-x", "correlation_id": "$c",
    }  # fmt: skip
    return Message(**(known | changes))


def queued(of: Message) -> AnyEvent:
    data = MessageQueued(
        message_id=of.message_id, conversation_id=of.conversation_id, channel_id=of.channel_id,
        internet_message_id="<a@b>", to=(Correspondent(address="a@b.example"),), subject="$subject",
        signature=SignatureUsed(why=Why.NONE), accepted_at=now(), undo_until=now(), due_at=now(), expires_at=now(),
    )  # fmt: skip
    return event(of.tenant, data, at=now(), source="outbox", trace=Trace("00-x", "c"))


def spoken(of: Message) -> AnyEvent:
    data = MessageCommitted(
        message_id=of.message_id, conversation_id=of.conversation_id, channel_id=of.channel_id, version=of.version,
        attempt=of.attempt, recipients=("$a@b.example",),
    )  # fmt: skip
    return event(of.tenant, data, at=now(), source="outbox")


def committing(before: Message, by: str = "stamp", *owed: AnyEvent) -> Change:
    until = now() + timedelta(seconds=7)
    after = replace(
        before, status=Status.COMMITTED, version=before.version + 1, attempt=before.attempt + 1,
        transmission=Transmission(by, ("a@b.example",), until),
        recipients=(before.recipients[0], Recipient("$c@b.example", RecipientState.REFUSED, 550, "5.1.1", "$no")),
    )  # fmt: skip
    return Change(before, after, owed)


def ending(before: Message, status: Status = Status.SENT, **changes: Any) -> Change:
    after = replace(
        before, status=status, version=before.version + 1, transmission=None, terminal_at=now(), **changes
    )  # fmt: skip
    return Change(before, after, (spoken(after),))


async def born(store: MessageStore, **changes: Any) -> Message:
    found = await store.insert(Birth(message(**changes)))
    assert isinstance(found, Inserted)
    return found.message


async def read(store: MessageStore, of: Message) -> Message:
    found = await store.load(of.tenant, of.message_id)
    assert found is not None
    return found


def test_a_document_is_the_message_and_a_difference_leads_to_it() -> None:
    wish = Cancel("c", "who", now())
    full = message(
        transmission=Transmission("by", ("a",), now()), held_cancels=(wish,), interrupted_by=(wish, wish),
        reason=Reason.REFUSED, policy=Policy.RESEND, terminal_at=now(), created_at=now(), undo_until=now(), tries=3,
        raw=Raw("00", 4, blob_id="b"), recipients=(Recipient("a", RecipientState.MAYBE, 450, "4.1.1", "t"),),
    )  # fmt: skip
    small = Message(full.tenant, full.message_id, Status.UNSEEN)
    for one, other in ((full, small), (small, full), (full, full)):
        changed, gone = difference(one, other)
        document = {"_id": f"{one.tenant}/{one.message_id}"} | to_document(one) | changed
        assert to_message({name: value for name, value in document.items() if name not in gone}) == other


async def test_a_birth_stands_and_a_second_one_leaves_it_alone(world: World) -> None:
    mine = message(undo_until=None, due_at=None)
    began = now()
    first = await world.store.insert(Birth(mine, (queued(mine),), 10, 3))
    assert isinstance(first, Inserted)
    stands = first.message
    assert stands.created_at is not None
    assert stands.undo_until == stands.created_at + timedelta(seconds=10)
    assert stands.due_at == stands.created_at + timedelta(seconds=13)
    assert began - timedelta(seconds=10) <= stands.created_at <= now()
    assert (first.owed[0].data.undo_until, first.owed[0].data.due_at) == (stands.undo_until, stands.due_at)
    assert first.owed[0].time == stands.created_at
    assert await read(world.store, mine) == stands
    assert (await read(world.store, mine)).owed == first.owed
    second = await world.store.insert(Birth(replace(mine, internet_message_id="<other>"), (queued(mine),), 0, 0))
    assert second == Standing(stands)
    assert isinstance(second, Standing)
    assert second.message.owed == first.owed


async def test_a_tombstone_stands_in_the_way_of_a_birth_and_is_turned_by_a_write(world: World) -> None:
    mine = message()
    tomb = Message(mine.tenant, mine.message_id, Status.UNSEEN, held_cancels=(Cancel("c", "who", now()),))
    assert isinstance(await world.store.insert(Birth(tomb)), Inserted)
    found = await world.store.insert(Birth(mine, (queued(mine),), 0))
    assert isinstance(found, Standing)
    assert found.message.status is Status.UNSEEN
    turned = replace(mine, status=Status.INTERRUPTED, version=2, created_at=found.message.created_at, raw=None)
    assert await world.store.write(Change(found.message, turned, (spoken(turned),)))
    assert await read(world.store, mine) == turned


async def test_another_tenants_document_of_the_same_id_is_another(world: World) -> None:
    mine = await born(world.store)
    assert await world.store.load(OTHER, mine.message_id) is None
    theirs = Message(OTHER, mine.message_id, Status.UNSEEN)
    assert isinstance(await world.store.insert(Birth(theirs)), Inserted)
    assert not await world.store.write(ending(replace(mine, tenant=OTHER)))
    assert await read(world.store, mine) == mine


async def test_an_end_is_corrected_by_the_same_compare_and_set(world: World) -> None:
    mine = await born(world.store, transmissions=1)
    parked = ending(mine, Status.FAILED, reason=Reason.OUTCOME_UNKNOWN)
    assert await world.store.write(parked)
    corrected = ending(parked.after, Status.SENT, reason=None, resolved_at=now())
    assert await world.store.write(corrected)
    assert not await world.store.write(corrected)
    assert await read(world.store, mine) == corrected.after


THEIRS = Transmission("x", (), datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "off", [{"version": 2}, {"status": Status.COMMITTED}, {"attempt": 1}, {"transmission": THEIRS}]
)
async def test_a_write_matches_exactly(world: World, off: dict[str, Any]) -> None:
    mine = await born(world.store)
    assert not await world.store.write(ending(replace(mine, **off)))
    assert await read(world.store, mine) == mine
    change = ending(mine, reason=Reason.REFUSED)
    assert await world.store.write(change)
    assert await read(world.store, mine) == change.after
    assert (await read(world.store, mine)).owed == change.owed
    assert not await world.store.write(change)


async def test_a_commit_sets_until_by_the_stores_clock_and_the_settle_clears_it(world: World) -> None:
    mine = await born(world.store)
    change = committing(mine, "stamp", spoken(mine))
    began = now()
    won = await world.store.commit(change, 7)
    assert isinstance(won, Won)
    stands = await read(world.store, mine)
    assert stands.transmission is not None
    assert began - timedelta(seconds=10) <= stands.transmission.until - timedelta(seconds=7) <= now()
    assert replace(stands, transmission=change.after.transmission) == change.after
    assert stands.owed == change.owed
    assert not await world.store.write(ending(replace(won.message, transmission=Transmission("theirs", (), now()))))
    settled = ending(won.message)
    assert await world.store.write(settled)
    assert await read(world.store, mine) == settled.after
    assert [owed.id for owed in (await read(world.store, mine)).owed] == [change.owed[0].id, settled.owed[0].id]


async def test_a_write_takes_off_what_was_spoken_and_nothing_else(world: World) -> None:
    mine = await born(world.store)
    first = committing(mine, "stamp", spoken(mine), queued(mine))
    won = await world.store.commit(first, 7)
    assert isinstance(won, Won)
    said, waits = first.owed
    settled = replace(ending(won.message), spoken=(said.id, "unknown"))
    assert not await world.store.write(replace(settled, before=replace(won.message, version=9)))
    assert (await read(world.store, mine)).owed == first.owed
    assert await world.store.write(settled)
    assert [owed.id for owed in (await read(world.store, mine)).owed] == [waits.id, settled.owed[0].id]


async def test_a_commit_takes_off_what_was_spoken(world: World) -> None:
    before = message()
    found = await world.store.insert(Birth(before, (queued(before),)))
    assert isinstance(found, Inserted)
    change = replace(committing(found.message, "stamp", spoken(before)), spoken=(found.owed[0].id,))
    assert isinstance(await world.store.commit(change, 7), Won)
    assert [owed.id for owed in (await read(world.store, before)).owed] == [change.owed[0].id]


async def test_a_commit_that_may_not_be(world: World) -> None:
    later = await born(world.store, due_at=now() + timedelta(seconds=30))
    over = await born(world.store, expires_at=now() - timedelta(seconds=1))
    ended = await born(world.store, status=Status.INTERRUPTED)
    stale = replace(await born(world.store), version=2)
    tried = replace(await born(world.store), attempt=1)
    done = (Recipient("a@b.example", RecipientState.ACCEPTED), Recipient("$c@b.example", RecipientState.STOPPED))
    nobody = await born(world.store, status=Status.COMMITTED, recipients=done)
    for each in (later, over, ended, stale, tried, nobody):
        assert await world.store.commit(committing(each), 7) == Lost()
        assert (await read(world.store, each)).transmission is None
    missing = message()
    assert await world.store.commit(committing(missing), 7) == Lost()
    open_now = await world.store.commit(committing(await born(world.store)), 7)
    assert isinstance(open_now, Won)
    assert await world.store.commit(committing(open_now.message, "second"), 7) == Lost()


async def test_a_retry_commits_from_committed(world: World) -> None:
    mine = await born(world.store, status=Status.COMMITTED, attempt=1, tries=1)
    assert isinstance(await world.store.commit(committing(mine), 7), Won)


async def test_a_fence_shuts_the_commit_out_or_finds_it(world: World) -> None:
    mine = await born(world.store)
    assert await world.store.fence(mine, "stamp") == Fenced()
    fenced = await read(world.store, mine)
    assert fenced == replace(mine, attempt=1, version=2)
    assert await world.store.commit(committing(mine), 7) == Lost()
    assert await world.store.fence(mine, "stamp") == Gone()
    assert isinstance(await world.store.commit(committing(fenced), 7), Won)
    found = await world.store.fence(fenced, "stamp")
    assert isinstance(found, Won)
    assert found.message == await read(world.store, mine)
    assert await world.store.fence(fenced, "another") == Gone()
    assert await world.store.fence(found.message, "another") == Gone()
    assert await read(world.store, mine) == found.message
    gone = await born(world.store, status=Status.INTERRUPTED)
    assert await world.store.fence(gone, "stamp") == Gone()
    assert await world.store.fence(message(), "stamp") == Gone()


async def test_due_lists_a_lanes_messages_in_order(world: World) -> None:
    base = now() - timedelta(minutes=1)
    made = [await born(world.store, due_at=base + timedelta(seconds=second)) for second in (3, 1, 2, 1)]
    await born(world.store, channel_id=OTHER)
    await born(world.store, tenant=OTHER)
    await born(world.store, due_at=now() + timedelta(minutes=1))
    await born(world.store, expires_at=now() - timedelta(seconds=1))
    await born(world.store, status=Status.SENT)
    await born(world.store, recipients=(Recipient("a", RecipientState.ACCEPTED),), status=Status.COMMITTED)
    retry = await born(world.store, status=Status.COMMITTED, tries=1, attempt=1, due_at=base)
    open_now = await born(world.store)
    assert isinstance(await world.store.commit(committing(open_now), 7), Won)
    found = await world.store.due(TENANT, CHANNEL, now(), 10)
    in_order = sorted(made, key=lambda each: (each.due_at, each.message_id))
    assert [each.message_id for each in found] == [retry.message_id, *(each.message_id for each in in_order)]
    assert found[0] == Ticket(TENANT, CHANNEL, retry.message_id, retry.conversation_id, base, False)
    assert found[1].first
    assert list(await world.store.due(TENANT, CHANNEL, now(), 2)) == list(found[:2])


async def test_due_lanes_are_named_with_their_earliest(world: World) -> None:
    base = now() - timedelta(minutes=1)
    for channel, second in ((CHANNEL, 3), (CHANNEL, 1), (OTHER, 2)):
        await born(world.store, channel_id=channel, due_at=base + timedelta(seconds=second))
    await born(world.store, channel_id=str(uuid7()), due_at=now() + timedelta(minutes=1))
    assert sorted(await world.store.due_lanes(now(), 10)) == sorted([
        (TENANT, CHANNEL, base + timedelta(seconds=1)), (TENANT, OTHER, base + timedelta(seconds=2))
    ])  # fmt: skip
    assert len(await world.store.due_lanes(now(), 1)) == 1


async def test_lapsed_transmissions_and_their_recovery(world: World) -> None:
    mine, running, idle = (
        await born(world.store),
        await born(world.store),
        await born(world.store, status=Status.COMMITTED),
    )
    won = [await world.store.commit(committing(each), hold) for each, hold in ((mine, 0.05), (running, 60))]
    assert all(isinstance(each, Won) for each in won)
    await world.wait(0.2)
    assert [each.message_id for each in await world.store.lapsed(10)] == [mine.message_id]
    stands = await read(world.store, running)
    assert not await world.store.write(replace(ending(stands), lapsed=True))
    assert not await world.store.write(replace(ending(idle), lapsed=True))
    stands = await read(world.store, mine)
    assert await world.store.write(replace(ending(stands, Status.FAILED, attempt=stands.attempt + 1), lapsed=True))
    assert not await world.store.lapsed(10)


async def test_expired_and_of_channel_leave_out_what_is_transmitting(world: World) -> None:
    over = await born(world.store, expires_at=now() - timedelta(seconds=1))
    retry = await born(world.store, expires_at=now() - timedelta(seconds=1), status=Status.COMMITTED)
    await born(world.store, expires_at=now() - timedelta(seconds=1), status=Status.SENT)
    fine, elsewhere = await born(world.store), await born(world.store, channel_id=OTHER)
    open_now = await born(world.store)
    await world.store.commit(committing(open_now), 7)
    assert {each.message_id for each in await world.store.expired(10)} == {over.message_id, retry.message_id}
    found = await world.store.of_channel(TENANT, CHANNEL, 10)
    assert {each.message_id for each in found} == {over.message_id, retry.message_id, fine.message_id}
    assert [each.message_id for each in await world.store.of_channel(TENANT, OTHER, 10)] == [elsewhere.message_id]


async def test_orphans_are_tombstones_nobody_answered(world: World) -> None:
    tomb = Message(TENANT, str(uuid7()), Status.UNSEEN, held_cancels=(Cancel("c", "who", now()),))
    answered = Message(TENANT, str(uuid7()), Status.UNSEEN, terminal_at=now())
    for each in (tomb, answered):
        await world.store.insert(Birth(each))
    await born(world.store)
    assert not await world.store.orphans(now() - timedelta(minutes=1), 10)
    assert [each.message_id for each in await world.store.orphans(now() + timedelta(minutes=1), 10)] == [
        tomb.message_id
    ]


async def test_slim_and_purge_take_only_what_is_old_ended_and_paid(world: World) -> None:
    old, limit = now() - timedelta(days=36), now() - timedelta(days=35)
    paid = await born(world.store, status=Status.SENT, terminal_at=old)
    owing = await world.store.insert(Birth(message(status=Status.SENT, terminal_at=old), (spoken(message()),)))
    young, living = await born(world.store, status=Status.SENT, terminal_at=now()), await born(world.store)
    assert isinstance(owing, Inserted)
    assert await world.store.slim(limit, 10) == 2
    assert (await read(world.store, paid)) == replace(paid, raw=None)
    assert (await read(world.store, young)).raw == young.raw
    assert await world.store.purge(limit, 10) == 1
    assert await world.store.load(TENANT, paid.message_id) is None
    for each in (owing.message, young, living):
        await read(world.store, each)


async def test_a_newer_schema_is_read_and_left_alone(world: World) -> None:
    mine = await born(world.store, schema=2)
    assert await read(world.store, mine) == mine
    assert not await world.store.write(ending(mine))
    assert await world.store.commit(committing(mine), 7) == Lost()
    assert await world.store.fence(mine, "x") == Gone()
    assert not await world.store.due(TENANT, CHANNEL, now(), 10)
    assert not await world.store.of_channel(TENANT, CHANNEL, 10)


async def test_many_at_once_each_get_their_own_answer(world: World) -> None:
    births = [Birth(message(), undo_seconds=0) for _ in range(40)]
    twice = await asyncio.gather(*(world.store.insert(birth) for birth in births + births))
    assert [isinstance(each, Inserted) for each in twice].count(True) == 40
    ids = [birth.message.message_id for birth in births]
    assert [each.message.message_id for each in twice] == ids + ids
    stand = [await read(world.store, birth.message) for birth in births]
    commits = [committing(each, f"{n}-{each.message_id}") for n in range(2) for each in stand]
    won = await asyncio.gather(*(world.store.commit(each, 7) for each in commits))
    for mine, theirs in zip(won[:40], won[40:], strict=True):
        assert {type(mine), type(theirs)} == {Won, Lost}
    stand = [each.message for each in won if isinstance(each, Won)]
    done = await asyncio.gather(*(world.store.write(ending(each)) for each in stand + stand))
    assert done.count(True) == 40
    assert [mine != theirs for mine, theirs in zip(done[:40], done[40:], strict=True)] == [True] * 40
