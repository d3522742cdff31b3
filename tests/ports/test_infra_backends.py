"""The backend named by MALOTE_INFRA gives real servers, which keep their address and data over kill -9."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.write_concern import WriteConcern

from deploy.local.infra import Addresses, Infra, InfraError, Options, backend_name, open_infra

TOPIC = "backends.v1"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("infra")


@pytest.fixture(scope="module")
async def started(folder: Path) -> AsyncIterator[tuple[Infra, Addresses]]:
    infra = open_infra(Options(folder, chaos=True))
    try:
        yield infra, await infra.start()
    finally:
        await infra.stop()


def killable() -> bool:
    """Whether the servers are ours to kill."""
    return backend_name() != "external"


async def publish(address: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value, key=b"t/k")
    finally:
        await producer.stop()


async def read(address: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=address, auto_offset_reset="earliest", group_id="backends")
    await consumer.start()
    try:
        return [(await consumer.getone()).value or b"" for _ in range(count)]
    finally:
        await consumer.stop()


async def test_kafka_gives_what_it_took_and_again_after_a_kill(started: tuple[Infra, Addresses]) -> None:
    infra, addresses = started
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses.kafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    await publish(addresses.kafka, b"before")
    if killable():
        await infra.kill("kafka")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*addresses.kafka.split(":"))
        await infra.restart("kafka")
    await publish(addresses.kafka, b"after")
    assert await read(addresses.kafka, 2) == [b"before", b"after"]


async def test_mongo_is_a_replica_set_that_keeps_majority_writes(started: tuple[Infra, Addresses]) -> None:
    infra, addresses = started
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(addresses.mongo, tz_aware=True)
    things = client["backends"].get_collection("things", write_concern=WriteConcern("majority"))
    await things.insert_one({"_id": "t/0"})
    async with things.watch() as changes:
        await things.update_one({"_id": "t/1"}, [{"$set": {"at": "$$NOW"}}], upsert=True)
        change = await changes.next()
    assert change["documentKey"] == {"_id": "t/1"}
    if killable():
        await infra.kill("mongo")
        await infra.restart("mongo")
    await things.insert_one({"_id": "t/2"})
    assert [thing["_id"] async for thing in things.find().sort("_id")] == ["t/0", "t/1", "t/2"]
    client.close()


async def test_mail_arrives_over_tls(started: tuple[Infra, Addresses], folder: Path) -> None:
    _, addresses = started
    context = ssl.create_default_context(cafile=str(folder / "mail" / "ca.pem"))
    with smtplib.SMTP_SSL(*addresses.smtps, context=context, timeout=10) as smtp:
        smtp.sendmail("op@acme.test", ["client@example.test"], b"Subject: hello\r\n\r\nhi\r\n")
    async with httpx.AsyncClient(base_url=addresses.mail_api) as api:
        assert (await api.get("/api/service/readiness")).status_code == 200


async def test_a_part_left_out_cannot_be_killed(tmp_path: Path) -> None:
    infra = open_infra(Options(tmp_path, parts=("mongo",)))
    if not killable():
        pytest.skip("nothing of ours to kill")
    await infra.start()
    try:
        with pytest.raises(InfraError):
            await infra.kill("kafka")
    finally:
        await infra.stop()
