"""Config's stores: one suite for the fakes and for MongoDB."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import pytest

from contracts.event import NO_TRACE, AnyEvent
from services.config.adapters.indexes import ensure
from services.config.adapters.mongo_channels import MongoChannels
from services.config.adapters.mongo_tenants import MongoSlots, MongoTenants
from services.config.domain.channel import Channel, Secret, Secrets, Server, Settings, changed, created, removed
from services.config.domain.outcome import Recent, Refusal
from services.config.domain.tenant import Slots, Tenant
from services.config.handlers.facts import channel_event, refusal_event, tenant_event
from services.config.ports import Channels, Rejections, SlotStore, Tenants
from services.kit.mongo import Database
from services.kit.owed import MongoOwed
from services.kit.rejections import MongoRejections
from services.kit.relay import Relay
from tests.fakes.config_store import FakeChannels, FakeRejections, FakeSlots, FakeTenants
from tests.fakes.publisher import FakePublisher

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SERVER = Server("mail.example.com", 993, "tls", "desk@example.com")
REST = {
    "name": "Vendas", "address": "desk@example.com", "sender_name": "", "write_first": True, "undo_seconds": 10,
    "per_minute": None, "connections": 4, "policy": "park",
}  # fmt: skip
SETTINGS = Settings(SERVER, replace(SERVER, port=465), REST)
SECRETS = Secrets(Secret("a.b.c", 1), Secret("d.e.f", 3))


@dataclass
class Stores:
    """The four stores and what they made Kafka hear."""

    channels: Channels
    tenants: Tenants
    slots: SlotStore
    rejections: Rejections
    spoken: list[AnyEvent]


@pytest.fixture
def fake_stores() -> Stores:
    """Empty, in memory."""
    spoken: list[AnyEvent] = []
    return Stores(FakeChannels(owed=spoken), FakeTenants(owed=spoken), FakeSlots(), FakeRejections(owed=spoken), spoken)


@pytest.fixture
async def mongo_stores(mongo_database: Database) -> AsyncIterator[Stores]:
    """Empty, in MongoDB."""
    spoken: list[AnyEvent] = []
    database = mongo_database
    await ensure(database)
    publisher = FakePublisher(published=spoken)
    relays = {
        name: Relay(MongoOwed(database[name], "config"), publisher) for name in ("channels", "tenants", "requests")
    }
    yield Stores(
        MongoChannels(database["channels"], relays["channels"].hand_over),
        MongoTenants(database["tenants"], relays["tenants"].hand_over),
        MongoSlots(database["slots"]),
        MongoRejections(database["requests"], "config", relays["requests"].hand_over),
        spoken,
    )
    for relay in relays.values():
        await relay.drain()


@pytest.fixture(params=["fake_stores", "mongo_stores"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Each of the two."""
    found: Stores = request.getfixturevalue(request.param)
    return found


def _channel() -> Channel:
    return created(str(uuid4()), SETTINGS, SECRETS, str(uuid4()), NOW)


async def _write(stores: Stores, tenant: str, channel: Channel) -> bool:
    return await stores.channels.write(tenant, channel, channel_event(tenant, channel, NO_TRACE))


async def test_a_channel_comes_back_as_it_was_written(stores: Stores) -> None:
    tenant, channel = str(uuid4()), _channel()
    assert await stores.channels.read(tenant, channel.channel_id) is None
    assert await _write(stores, tenant, channel)
    assert await stores.channels.read(tenant, channel.channel_id) == channel
    later = changed(channel, replace(SETTINGS, rest={**REST, "name": "B"}), Secrets(), str(uuid4()), NOW)
    assert await _write(stores, tenant, later)
    assert await stores.channels.read(tenant, channel.channel_id) == later
    await _heard(stores, 2)
    assert [event.data.version for event in stores.spoken] == [1, 2]
    assert stores.spoken[1] == channel_event(tenant, later, NO_TRACE)


async def test_another_tenant_has_another_channel(stores: Stores) -> None:
    tenant, channel = str(uuid4()), _channel()
    assert await _write(stores, tenant, channel)
    assert await stores.channels.read(str(uuid4()), channel.channel_id) is None
    assert await _write(stores, str(uuid4()), channel)


@pytest.mark.parametrize("version", [1, 3, 4])
async def test_a_version_that_does_not_follow_is_a_miss(stores: Stores, version: int) -> None:
    tenant, channel = str(uuid4()), _channel()
    assert await _write(stores, tenant, channel)
    assert not await _write(stores, tenant, replace(channel, version=version))
    assert not await _write(stores, str(uuid4()), replace(channel, version=version + 1))
    await _heard(stores, 1)
    assert len(stores.spoken) == 1


async def test_of_many_writers_of_one_version_one_wins(stores: Stores) -> None:
    tenant, channel = str(uuid4()), _channel()
    wishes = [replace(channel, request_id=str(uuid4())) for _ in range(8)]
    won = await asyncio.gather(*(_write(stores, tenant, one) for one in wishes))
    assert won.count(True) == 1
    stored = await stores.channels.read(tenant, channel.channel_id)
    assert stored == wishes[won.index(True)]
    assert stored is not None
    follow = [changed(stored, SETTINGS, Secrets(), str(uuid4()), NOW) for _ in range(8)]
    assert (await asyncio.gather(*(_write(stores, tenant, one) for one in follow))).count(True) == 1


async def test_only_long_removed_channels_are_forgotten(stores: Stores) -> None:
    tenant, live, fresh, old = str(uuid4()), _channel(), _channel(), _channel()
    long_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30, minutes=1)
    just_now = long_ago + timedelta(minutes=2)
    for channel in (live, fresh, old):
        assert await _write(stores, tenant, channel)
    assert await _write(stores, tenant, removed(fresh, str(uuid4()), just_now))
    assert await _write(stores, tenant, removed(old, str(uuid4()), long_ago))
    if isinstance(stores.channels, FakeChannels):
        stores.channels.expired.add(old.channel_id)
    await _heard(stores, 5)
    assert await _forgettable(stores) == [(tenant, old.channel_id)]
    await stores.channels.forget(tenant, old.channel_id)
    await stores.channels.forget(tenant, live.channel_id)
    assert await stores.channels.read(tenant, old.channel_id) is None
    assert await stores.channels.read(tenant, live.channel_id) is not None


async def test_tenants(stores: Stores) -> None:
    tenant = str(uuid4())
    first = Tenant("Loja Azul", True, 3, 1, str(uuid4()), Recent(("r",)))
    assert await stores.tenants.read(tenant) is None
    assert await stores.tenants.write(tenant, first, tenant_event(tenant, first, NOW, NO_TRACE))
    assert await stores.tenants.read(tenant) == first
    second = replace(first, version=2, email_enabled=False)
    assert await stores.tenants.write(tenant, second, tenant_event(tenant, second, NOW, NO_TRACE))
    assert not await stores.tenants.write(tenant, second, tenant_event(tenant, second, NOW, NO_TRACE))
    assert await stores.tenants.read(tenant) == second


async def test_slots(stores: Stores) -> None:
    tenant = str(uuid4())
    assert await stores.slots.read(tenant) == Slots()
    won = await asyncio.gather(*(stores.slots.write(tenant, Slots((str(n),), 1)) for n in range(5)))
    assert won.count(True) == 1
    assert await stores.slots.write(tenant, Slots(("a", "b"), 2))
    assert await stores.slots.read(tenant) == Slots(("a", "b"), 2)
    assert not await stores.slots.write(tenant, Slots((), 2))


async def test_the_first_refusal_stays(stores: Stores) -> None:
    tenant, request_id, channel_id = str(uuid4()), str(uuid4()), str(uuid4())
    assert await stores.rejections.read(tenant, request_id) is None
    answers = [
        refusal_event(tenant, request_id, channel_id, Refusal("invalid", detail), NOW, NO_TRACE)
        for detail in ("1", "2")
    ]
    for answer in answers:
        await stores.rejections.write(tenant, request_id, answer)
    assert await stores.rejections.read(tenant, request_id) == answers[0]
    await _heard(stores, 1)
    assert stores.spoken == answers[:1]


async def _heard(stores: Stores, count: int) -> None:
    for _ in range(200):
        if len(stores.spoken) >= count:
            return
        await asyncio.sleep(0.01)


async def _forgettable(stores: Stores) -> list[tuple[str, str]]:
    """What owes something is not forgettable; paying takes a moment."""
    for _ in range(200):
        if found := await stores.channels.forgettable(10):
            return cast("list[tuple[str, str]]", list(found))
        await asyncio.sleep(0.01)
    return []
