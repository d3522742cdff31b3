"""Signature's store: one suite for the fake and for MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.event import NO_TRACE, AnyEvent
from services.kit.mongo import Database
from services.kit.owed import MongoOwed
from services.kit.relay import Relay
from services.signature.adapters.indexes import ensure
from services.signature.adapters.mongo_signatures import FRESH_S, MongoSignatures
from services.signature.domain.signature import Change, ChannelSignatures, Image, Kept, Signature, Switches, Template
from services.signature.handlers.facts import signature_event, switches_event
from services.signature.ports import ImagesDue, Signatures
from tests.fakes.publisher import FakePublisher
from tests.fakes.signature_store import FakeSignatures

CHANGE = Change("00000000-0000-4000-8000-000000000001", "admin", datetime(2026, 1, 1, 12, tzinfo=UTC))


@dataclass
class Place:
    """A store, and one channel of one tenant in it."""

    store: Signatures
    spoken: list[AnyEvent]
    tenant: str
    channel_id: str

    async def sign(
        self, operator: str | None, version: int = 1, text: str = "S", kept: Kept | None = None, *images: Image
    ) -> bool:
        """Writes a signature."""
        made = Signature(operator, version, Template(text=text), CHANGE, kept, (CHANGE.request_id,), images)
        told = signature_event(self.tenant, self.channel_id, made, NO_TRACE)
        return await self.store.write(self.tenant, self.channel_id, made, told)

    async def switch(self, version: int = 1, *, sign: bool = True) -> bool:
        """Writes the switches."""
        made = Switches(version, sign, True, CHANGE, (CHANGE.request_id,))
        told = switches_event(self.tenant, self.channel_id, made, NO_TRACE)
        return await self.store.write_switches(self.tenant, self.channel_id, made, told)


@pytest.fixture
def fake_place() -> Place:
    """Empty, in memory."""
    spoken: list[AnyEvent] = []
    return Place(FakeSignatures(owed=spoken), spoken, str(uuid4()), str(uuid4()))


@pytest.fixture
async def mongo_place(mongo_database: Database) -> AsyncIterator[Place]:
    """Empty, in MongoDB."""
    spoken: list[AnyEvent] = []
    await ensure(mongo_database)
    signatures = mongo_database["signatures"]
    relay = Relay(MongoOwed(signatures, "signature"), FakePublisher(published=spoken))
    yield Place(MongoSignatures(signatures, relay.hand_over), spoken, str(uuid4()), str(uuid4()))
    await relay.drain()


@pytest.fixture(params=["fake_place", "mongo_place"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each of the two."""
    found: Place = request.getfixturevalue(request.param)
    return found


async def test_signatures_come_back_as_they_were_written(place: Place) -> None:
    ana = str(uuid4())
    assert await place.store.read(place.tenant, place.channel_id, ana) is None
    kept = Kept(1, Template("text", "<b>a</b>", "a"))
    assert await place.sign(ana)
    assert await place.sign(ana, 2, "T", kept)
    assert await place.sign(None, text="default")
    found = await place.store.read(place.tenant, place.channel_id, ana)
    assert found == Signature(ana, 2, Template(text="T"), CHANGE, kept, (CHANGE.request_id,))
    default = await place.store.read(place.tenant, place.channel_id, None)
    assert default is not None
    assert (default.operator_id, default.template.text) == (None, "default")


async def test_switches(place: Place) -> None:
    assert await place.store.switches(place.tenant, place.channel_id) == Switches()
    assert await place.switch()
    assert await place.switch(2, sign=False)
    assert not await place.switch(2)
    found = await place.store.switches(place.tenant, place.channel_id)
    assert found == Switches(2, False, True, CHANGE, (CHANGE.request_id,))


async def test_images_are_due_until_they_are_kept(place: Place) -> None:
    first, second = (Image(str(uuid4()), "ab" * 32, 9, "image/png") for _ in range(2))
    noon, week = CHANGE.at, timedelta(days=7)

    async def due(now: datetime) -> list[tuple[str, int, tuple[str, ...]]]:
        found = [one for one in await place.store.with_images_due(now, 1_000) if one.tenant == place.tenant]
        return [(one.subject, one.version, one.blob_ids) for one in found]

    async def kept(version: int, now: datetime) -> None:
        await place.store.images_kept(ImagesDue(place.tenant, f"{place.channel_id}/default", version, ()), now + week)

    assert await place.sign(None, 1, "S", None, first)
    assert await place.switch()
    read = await place.store.read(place.tenant, place.channel_id, None)
    assert read is not None
    assert read.images == (first,)
    assert await due(noon) == [(f"{place.channel_id}/default", 1, (first.blob_id,))]
    await kept(1, noon)
    assert not await due(noon)
    assert await due(noon + week)
    assert await place.sign(None, 2, "S", Kept(1, Template(), (first,)), second)
    await kept(1, noon)  # of the signature that was
    assert await due(noon) == [(f"{place.channel_id}/default", 2, (second.blob_id, first.blob_id))]
    assert await place.sign(None, 3)
    assert not await due(noon + week)


@pytest.mark.parametrize("version", [1, 3])
async def test_a_version_that_does_not_follow_is_a_miss(place: Place, version: int) -> None:
    assert await place.sign(None)
    assert not await place.sign(None, version)
    assert not await place.sign(str(uuid4()), 2)


async def test_of_many_writers_one_wins(place: Place) -> None:
    assert (await asyncio.gather(*(place.sign(None) for _ in range(6)))).count(True) == 1
    assert (await asyncio.gather(*(place.switch() for _ in range(6)))).count(True) == 1


async def test_a_channel_whole(place: Place) -> None:
    ana, other = str(uuid4()), replace(place, channel_id=str(uuid4()))
    assert await place.store.of(place.tenant, place.channel_id) == ChannelSignatures()
    for operator in (ana, None):
        assert await place.sign(operator)
    assert await place.switch()
    assert await other.sign(None)
    found = await place.store.of(place.tenant, place.channel_id)
    assert set(found.by_operator) == {ana, None}
    assert found.switches.version == 1
    assert await place.store.of(str(uuid4()), place.channel_id) == ChannelSignatures()
    subjects = await place.store.subjects(place.tenant, place.channel_id)
    assert sorted(subjects) == sorted(f"{place.channel_id}/{what}" for what in (f"operator/{ana}", "default", "policy"))
    await place.store.remove(place.tenant, place.channel_id)
    assert await place.store.of(place.tenant, place.channel_id) == ChannelSignatures()
    assert len(await place.store.subjects(place.tenant, other.channel_id)) == 1


async def test_channels_asked_for_at_once_are_not_mixed(place: Place) -> None:
    others = [replace(place, channel_id=str(uuid4())) for _ in range(3)]
    foreign = replace(place, tenant=str(uuid4()))
    for n, one in enumerate((place, *others[:2], foreign)):
        assert await one.sign(None, text=f"t{n}")
    assert await others[0].switch()
    found = await asyncio.gather(*(one.store.of(one.tenant, one.channel_id) for one in (place, *others, foreign)))
    texts = [one.by_operator[None].template.text if one.by_operator else "" for one in found]
    assert texts == ["t0", "t1", "t2", "", "t3"]
    assert [one.switches.version for one in found] == [0, 1, 0, 0, 0]


async def test_composing_sees_another_replicas_change_soon(mongo_database: Database) -> None:
    mine, theirs = (
        Place(MongoSignatures(mongo_database["signatures"], lambda doc_id, events: None), [], "tenant", "channel")
        for _ in range(2)
    )
    mine.channel_id = theirs.channel_id = str(uuid4())
    assert not (await mine.store.of("tenant", mine.channel_id)).by_operator
    assert await theirs.sign(None)
    await asyncio.sleep(FRESH_S + 0.1)
    assert (await mine.store.of("tenant", mine.channel_id)).by_operator


async def test_what_was_written_is_published_in_order(place: Place) -> None:
    for version in (1, 2, 3):
        assert await place.sign(None, version)
    for _ in range(200):
        if len(place.spoken) == 3:
            break
        await asyncio.sleep(0.01)
    assert [event.data.version for event in place.spoken] == [1, 2, 3]
    assert {event.source for event in place.spoken} == {"/malote/signature"}
