"""The kit on a real broker: at least once, in order by key, poison set aside, the partition goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer

from contracts.cloudevents import encode, key
from contracts.event import Event, event
from contracts.message import CancelRequested
from contracts.topics import CANCEL_REQUESTS
from deploy.local.infra import Addresses
from services.kit.consume import On, broker, subscribe
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings
from services.kit.unavailable import Unavailable
from tests.infra import topics

TENANT = str(uuid4())


def cancel(message_id: str | None = None, *, by: str = "anna", source: str = "gateway") -> Event[CancelRequested]:
    """One wish."""
    now = datetime.now(UTC)
    data = CancelRequested(
        message_id=message_id or str(uuid4()), cancel_id=str(uuid4()), requested_by=by, requested_at=now
    )
    return event(TENANT, data, at=now, source=source)


@pytest.fixture(scope="session")
async def publisher(servers: Addresses) -> AsyncIterator[Publisher]:
    """A started publisher."""
    await topics.make(servers.kafka, [CANCEL_REQUESTS])
    made = Publisher(servers.kafka, "test")
    await made.start()
    yield made
    await made.stop()


@asynccontextmanager
async def consuming(
    servers: Addresses, publisher: Publisher, handler: Callable[[Any], Awaitable[None]], group: str, instance: str
) -> AsyncIterator[None]:
    """A consumer of cancel requests in this group."""
    settings = KitSettings(kafka=servers.kafka, instance=instance, session_timeout_s=6)
    kafka = broker(settings, "test")
    subscribe(kafka, settings, "test", On(group, (CANCEL_REQUESTS,), {CancelRequested: handler}), publisher)
    await kafka.start()
    try:
        yield
    finally:
        await kafka.stop()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def test_poison_is_set_aside_and_the_rest_arrives_in_order(servers: Addresses, publisher: Publisher) -> None:
    message_id = str(uuid4())
    sent = [cancel(message_id, by=f"p{n}") for n in range(50)]
    poison_key = key(TENANT, message_id)
    good = encode(sent[0])
    for item in sent[:25]:
        await publisher.publish(item)
    await publisher.send(CANCEL_REQUESTS.name, poison_key, b"not json", good.headers)
    await publisher.send(CANCEL_REQUESTS.name, poison_key, b"{}", good.headers)
    await publisher.send(CANCEL_REQUESTS.name, poison_key, good.value, [("ce_id", b"\xff\xfe"), ("x", b"\x80")])
    await publisher.send(CANCEL_REQUESTS.name, poison_key, b"x" * 900_000, good.headers)
    await publisher.send(CANCEL_REQUESTS.name, b"other/key", good.value, good.headers)
    await publisher.send(CANCEL_REQUESTS.name, poison_key, None, [])
    await publisher.publish(cancel(message_id, source="outbox"))
    for item in sent[25:]:
        await publisher.publish(item)
    seen: list[str] = []

    async def handle(got: Event[CancelRequested]) -> None:
        if got.data.message_id == message_id:
            seen.append(got.data.requested_by)

    async with consuming(servers, publisher, handle, f"g{uuid4().hex[:6]}", "poison-0"):
        await until(lambda: len(seen) >= 50)
    assert seen == [f"p{n}" for n in range(50)]
    errors = await dead_letters(servers, 7)
    assert sorted(errors) == [
        "CancelRequested is invalid at: cancel_id, message_id, requested_at, requested_by",
        "CancelRequested is invalid at: the value",
        "CancelRequested is invalid at: the value",
        "a null record on a topic that is not compacted",
        "ce_source may not write this topic",
        "header 'ce_id' is not UTF-8",
        "the key is not tenant/subject",
    ]


async def test_an_unavailable_handler_gets_its_events_again_and_a_broken_one_is_passed(
    servers: Addresses, publisher: Publisher
) -> None:
    flaky, broken, fine = cancel(by="flaky"), cancel(by="broken"), cancel(by="fine")
    calls: list[str] = []

    async def handle(got: Event[CancelRequested]) -> None:
        calls.append(got.data.requested_by)
        if got.id == flaky.id and calls.count("flaky") < 3:
            raise Unavailable("not now")
        if got.id == broken.id:
            raise KeyError("bug")

    async with consuming(servers, publisher, handle, f"g{uuid4().hex[:6]}", "flaky-0"):
        for item in (flaky, broken, fine):
            await publisher.publish(item)
        await until(lambda: calls.count("flaky") >= 3 and "fine" in calls and calls.count("broken") >= 3, 30)
    assert calls.count("flaky") == 3


async def dead_letters(servers: Addresses, count: int) -> list[str]:
    """The errors of the dead letters that are there."""
    consumer = AIOKafkaConsumer(
        CANCEL_REQUESTS.dead_letters, bootstrap_servers=servers.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        errors: list[str] = []
        async with asyncio.timeout(15):
            while len(errors) < count:
                record = await consumer.getone()
                headers = dict(record.headers)
                assert headers["dlq_topic"] == CANCEL_REQUESTS.name.encode()
                errors.append(headers["dlq_error"].decode())
        return errors
    finally:
        await consumer.stop()
