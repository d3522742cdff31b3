"""Views, operators, wishes and waiting: the fake and MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from contracts.event import AnyEvent, event
from contracts.operator import OperatorChanged
from contracts.payload import Payload
from contracts.signature import SignatureChanged, SignaturePolicyChanged, SignatureTemplate
from contracts.tenant import TenantChanged, TenantChangeRequested
from services.gateway.adapters import indexes
from services.gateway.adapters.blob_bodies import BlobBodies
from services.gateway.adapters.mongo_operators import MongoOperators
from services.gateway.adapters.mongo_views import MongoChannels, MongoSignatures, MongoStatuses, MongoTenants
from services.gateway.adapters.mongo_wishes import MongoWishes
from services.gateway.adapters.waiters import Waiters
from services.gateway.domain.page import Cut
from services.gateway.domain.refusal import Code, Fault, Refused
from services.gateway.ports import Ports, Wish
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.ids import uuid7
from services.kit.mongo import Database
from tests.fakes.gateway_world import fake_ports
from tests.unit.gateway.world import channel

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TENANT = "acme"


@pytest.fixture(params=["fake", "mongo"])
async def ports(request: pytest.FixtureRequest, mongo_database: Database) -> Ports:
    if request.param == "fake":
        return fake_ports()
    await indexes.ensure(mongo_database)
    await indexes.ensure(mongo_database)

    def speak(*_: object) -> None:
        """The relay's sweep would publish it."""

    return replace(
        fake_ports(),
        tenants=MongoTenants(mongo_database["tenants"]), channels=MongoChannels(mongo_database["channels"]),
        statuses=MongoStatuses(mongo_database["statuses"]), signatures=MongoSignatures(mongo_database["signatures"]),
        operators=MongoOperators(mongo_database["operators"], speak),
        wishes=MongoWishes(mongo_database["wishes"], speak), waits=Waiters(),
        bodies=BlobBodies(Blobs(mongo_database), SystemClock()),
    )  # fmt: skip


def said(data: Payload, tenant: str = TENANT) -> AnyEvent:
    return event(tenant, data, at=NOW, source="config")


async def test_a_tenant_is_the_newest_that_was_said(ports: Ports) -> None:
    for version in (2, 1):
        state = TenantChanged(
            version=version, request_id=str(uuid7()), name=str(version), email_enabled=True, max_channels=1
        )
        assert await ports.tenants.put(said(state)) is (version == 2)
    found = await ports.tenants.get(TENANT)
    assert found is not None
    assert (found.name, (await ports.tenants.at_least(TENANT, 2)).version) == ("2", 2)
    assert await ports.tenants.get("other") is None


async def test_channels_are_listed_in_order_of_creation_without_the_removed(ports: Ports) -> None:
    ids = [str(uuid7()) for _ in range(4)]
    for channel_id in ids:
        await ports.channels.put(said(channel(channel_id=channel_id, version=1)))
    await ports.channels.put(said(channel(channel_id=ids[1], version=2, removed=True)))
    await ports.channels.put(said(channel(channel_id=ids[0]), "other"))
    await ports.channels.drop(TENANT, ids[2])
    first = await ports.channels.list(TENANT, Cut(1))
    rest = await ports.channels.list(TENANT, Cut(1, first.after))
    assert [one.channel_id for one in (*first.items, *rest.items)] == [ids[0], ids[3]]
    assert rest.after is None
    removed = await ports.channels.get(TENANT, ids[1])
    assert removed is not None
    assert removed.removed
    assert await ports.channels.get(TENANT, ids[2]) is None
    assert (await ports.channels.at_least(TENANT, ids[3], 1)).channel_id == ids[3]


async def test_statuses_are_kept_by_direction(ports: Ports) -> None:
    ours, other = str(uuid7()), str(uuid7())

    async def says(channel_id: str, way: Direction, state: ConnectionState, version: int, tenant: str = TENANT) -> None:
        status = ChannelStatusChanged(
            version=version, channel_id=channel_id, direction=way, state=state, reason=ConnectionReason.NONE, since=NOW
        )
        await ports.statuses.put(said(status, tenant))

    await says(ours, Direction.SMTP, ConnectionState.CONNECTED, 2)
    await says(ours, Direction.SMTP, ConnectionState.CONNECTING, 1)
    await says(ours, Direction.IMAP, ConnectionState.UNREACHABLE, 1)
    await says(other, Direction.SMTP, ConnectionState.CONNECTED, 1)
    await says(ours, Direction.SMTP, ConnectionState.AUTH_FAILED, 9, "another")
    found = await ports.statuses.of(TENANT, [ours])
    states = {str(one.direction): str(one.state) for one in found[ours]}
    assert states == {"smtp": "connected", "imap": "unreachable"}
    assert other not in found
    await ports.statuses.drop(TENANT, f"{ours}/smtp")
    assert [str(one.direction) for one in (await ports.statuses.of(TENANT, [ours]))[ours]] == ["imap"]


async def test_signatures_and_switches_of_one_channel(ports: Ports) -> None:
    ours, other, operator = str(uuid7()), str(uuid7()), str(uuid7())

    def signature(channel_id: str, operator_id: str | None, text: str, version: int = 1) -> SignatureChanged:
        return SignatureChanged(
            version=version, request_id=None, channel_id=channel_id, operator_id=operator_id, changed_by="ana",
            changed_at=NOW, template=SignatureTemplate(text=text),
        )  # fmt: skip

    policy = SignaturePolicyChanged(
        request_id=None, channel_id=ours, operators_sign=True, default_enabled=False, changed_by="ana", changed_at=NOW
    )
    for state in (
        policy, signature(ours, None, "default"), signature(ours, operator, "new", 2), signature(ours, operator, "old"),
        signature(other, None, "another"),
    ):  # fmt: skip
        await ports.signatures.put(said(state))
    found = await ports.signatures.of(TENANT, ours)
    assert found.policy == policy
    assert found.default is not None
    assert found.default.template.text == "default"
    assert [one.template.text for one in found.operators] == ["new"]
    await ports.signatures.drop(TENANT, f"{ours}/default")
    await ports.signatures.drop(TENANT, f"{ours}/policy")
    found = await ports.signatures.of(TENANT, ours)
    assert (found.policy, found.default) == (None, None)
    assert (await ports.signatures.of("another", ours)).operators == ()


async def test_an_operator_is_put_version_after_version(ports: Ports) -> None:
    ids = sorted(str(uuid7()) for _ in range(3))
    for operator_id in ids:
        assert await ports.operators.put(said(OperatorChanged(operator_id=operator_id, name="Ana")))
    second = OperatorChanged(version=2, operator_id=ids[0], name="Ana Prado", email="ana@acme.test", active=False)
    won = await asyncio.gather(*(ports.operators.put(said(second)) for _ in range(5)))
    assert sum(won) == 1
    assert not await ports.operators.put(said(OperatorChanged(operator_id=ids[0], name="Again")))
    assert not await ports.operators.put(said(second.model_copy(update={"version": 4})))
    assert await ports.operators.get(TENANT, ids[0]) == second
    assert await ports.operators.get("other", ids[0]) is None
    first = await ports.operators.list(TENANT, Cut(2))
    rest = await ports.operators.list(TENANT, Cut(2, first.after))
    assert [one.operator_id for one in (*first.items, *rest.items)] == ids
    await ports.operators.owe_again(said(second))


async def test_a_wish_is_decided_by_the_tenant_it_is_for(ports: Ports) -> None:
    granted, refused = str(uuid7()), str(uuid7())
    asked = TenantChangeRequested(request_id=granted, requested_by="x", name="Acme", email_enabled=True, max_channels=1)
    for request_id in (granted, refused):
        wish = Wish(request_id, "platform", TENANT, "/v1/tenants/acme", NOW)
        await ports.wishes.ask(wish, said(asked.model_copy(update={"request_id": request_id})))
        assert await ports.wishes.get("platform", request_id) == wish
        assert await ports.wishes.get(TENANT, request_id) is None
    no = Refused(Code.SECRET_REQUIRED, "Again.", (Fault("smtp.secret", "secret_required", "Again."),), version=4)
    await ports.wishes.grant("platform", granted, 9)
    await ports.wishes.grant(TENANT, granted, 3)
    await ports.wishes.refuse(TENANT, refused, no)
    await ports.wishes.grant(TENANT, str(uuid7()), 1)
    done, not_done = await ports.wishes.get("platform", granted), await ports.wishes.get("platform", refused)
    assert done is not None
    assert not_done is not None
    assert (done.granted, done.refused, not_done.granted, not_done.refused) == (3, None, None, no)


async def test_bodies_are_kept_by_tenant(ports: Ports) -> None:
    text = "é" * 50_000
    stored = await ports.bodies.put(TENANT, text, "text/plain")
    assert (stored.size, stored.media_type) == (100_000, "text/plain")
    assert await ports.bodies.get(TENANT, stored) == text
    assert await ports.bodies.get("other", stored) is None


async def test_who_waits_is_woken_at_once_and_looks_by_themselves_too() -> None:
    waits, answers = Waiters(), dict[str, Any]()
    looks: list[str] = []

    async def look(key: str) -> Any:
        looks.append(key)
        return answers.get(key)

    loop = asyncio.get_running_loop()
    woken = asyncio.create_task(waits.until("a", lambda: look("a"), 3))
    polled = asyncio.create_task(waits.until("b", lambda: look("b"), 3))
    await asyncio.sleep(0.01)
    answers.update(a=1, b=2)
    began = loop.time()
    waits.wake("a")
    waits.wake("nobody")
    assert await woken == 1
    assert loop.time() - began < 0.04
    assert await polled == 2
    began = loop.time()
    assert await waits.until("c", lambda: look("c"), 0.2) is None
    assert 0.15 < loop.time() - began < 1
    assert waits._waiting == {}
