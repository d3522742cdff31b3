"""A poison record on every topic our services read ends as a dead letter with its reason, and the partition goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from contracts.cloudevents import Headers
from contracts.topics import TOPICS, Topic
from services.kit.ids import uuid7
from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.ear import POISON, Ear, Heard
from tests.e2e.mail import arrived
from tests.infra.smtp_peer import Peer
from tests.infra.stack import EVERYTHING, Stack

SERVICES = (*EVERYTHING, "ingest")
"""Ingest joins the others for this file, so that every topic has all of its readers."""
READ = [topic for topic in TOPICS if topic.readers]
BIG = 900 * 1024


@dataclass(frozen=True, slots=True)
class Poison:
    """One bad record and the words its dead letter must give as the reason."""

    name: str
    headers: Headers
    value: bytes
    reason: str


def _poisons(topic: Topic) -> Iterator[Poison]:
    kind = topic.events[0].__name__
    good: Headers = [
        ("content-type", b"application/json"), ("ce_specversion", b"1.0"), ("ce_id", b"4e1f0a52-poison"),
        ("ce_type", kind.encode()), ("ce_source", f"/malote/{topic.sources[0]}".encode()),
        ("ce_time", b"2026-11-24T12:00:00+00:00"), ("ce_tenantid", str(uuid7()).encode()), ("ce_sequence", b"100"),
    ]  # fmt: skip
    yield Poison("not-json", good, b"{not json \xff\x00", "is invalid at: the value")
    yield Poison("wrong-schema", good, b'{"version": "never", "surprise": [1]}', "is invalid at:")
    yield Poison("bad-header", [*good, ("correlation_id", b"\xff\xfe")], b"{}", "is not UTF-8")
    yield Poison("huge", [], b"x" * BIG, "attributes missing")


@pytest.fixture(scope="module")
async def producer(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    """Writes whatever it is given."""
    made = AIOKafkaProducer(bootstrap_servers=stack.kafka, max_request_size=2 * 1024 * 1024)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="module")
async def channel(desk: Desk, peers: Any) -> str:
    """A channel whose keys say which partitions the story uses."""
    return await desk.connected(peers.plain.port, undo_seconds=0)


def _calm(stack: Stack) -> None:
    """What a person does after looking at dead letters: the breakers count anew (see `kit.dead_letters`)."""
    for name, pid in stack.pids.items():
        if name.rpartition("-")[0] in SERVICES:
            os.kill(pid, signal.SIGUSR1)


@pytest.fixture(scope="module")
async def ingest(stack: Stack, ear: Ear) -> AsyncIterator[str]:
    """The one reader that this stack has not, once it has read what was there: its breaker counts from then on."""
    name = stack.start("ingest")
    await stack.crew.until_ready([name])
    await _read_to_the_end(stack, ear)
    yield name
    await stack.terminate(name)


@pytest.fixture(scope="module")
async def poisoned(
    stack: Stack, desk: Desk, channel: str, ear: Ear, producer: AIOKafkaProducer, ingest: str
) -> AsyncIterator[dict[tuple[str, str], Heard]]:
    """Every poison on every partition, by topic and name; the breakers are calm before and after."""
    _calm(stack)
    sent: dict[tuple[str, str, int], Poison] = {}
    for topic in READ:
        for partition in sorted(await producer.partitions_for(topic.name)):
            for poison in _poisons(topic):
                mark = (POISON, poison.name.encode())
                key = f"poison/{poison.name}".encode()
                await producer.send_and_wait(topic.name, poison.value, key, partition, headers=[*poison.headers, mark])
                sent[topic.name, poison.name, partition] = poison

    def buried() -> dict[tuple[str, str], Heard] | None:
        letters = [one for topic in READ for one in ear.on(topic.dead_letters) if POISON in one.attributes]
        found = {_origin(one): one for one in letters}
        return {key[:2]: one for key, one in found.items()} if found.keys() >= sent.keys() else None

    limit = time.monotonic() + 60
    while (found := buried()) is None:
        there = {key for topic in READ for key in map(_origin, ear.on(topic.dead_letters))}
        assert time.monotonic() < limit, f"not buried: {sorted(sent.keys() - there)}"
        await asyncio.sleep(3)
        _calm(stack)  # a reader that has only just caught up may take so much poison for its own fault, and rightly so
    _calm(stack)
    yield found
    _calm(stack)


def _origin(letter: Heard) -> tuple[str, str, int]:
    given = letter.attributes
    return given["dlq_topic"], given.get(POISON, ""), int(given["dlq_partition"])


@pytest.mark.parametrize("topic", READ, ids=lambda topic: topic.name)
def test_each_poison_is_a_dead_letter_with_its_reason_and_its_bytes(
    poisoned: dict[tuple[str, str], Heard], topic: Topic
) -> None:
    for poison in _poisons(topic):
        letter = poisoned[topic.name, poison.name]
        given = letter.attributes
        assert poison.reason in given["dlq_error"], poison.name
        assert given["dlq_attempts"] == "0", poison.name
        assert given["dlq_offset"].isdigit(), poison.name
        assert letter.value == poison.value, poison.name
        assert letter.key == f"poison/{poison.name}".encode(), poison.name


def test_every_reader_of_a_topic_buried_it(poisoned: dict[tuple[str, str], Heard], ear: Ear) -> None:
    for topic in READ:
        letters = [one.attributes for one in ear.on(topic.dead_letters) if POISON in one.attributes]
        origins = {(one["dlq_partition"], one["dlq_offset"]) for one in letters}
        readers = len(set(topic.readers) & set(SERVICES))
        assert len(letters) >= len(origins) * readers, topic.name


async def test_the_story_goes_on_through_every_topic(
    poisoned: dict[tuple[str, str], Heard], desk: Desk, channel: str, peer: Peer
) -> None:
    await desk.put_tenant(name="Acme after the poison")
    await desk.ok("PUT", f"/v1/operators/{desk.ana}", builders.operator("Ana Prado", email="ana2@desk.test"))
    await desk.sign(channel, "default", builders.signature(text="Kind regards from {{ tenant.name }}"))
    stale = await desk.call(
        "PUT", f"/v1/channels/{channel}", builders.channel(builders.server(peer.port)), headers={"If-Match": '"999"'}
    )
    assert stale.status_code == 412, stale.text
    await desk.ok("POST", f"/v1/channels/{channel}/reconnect")
    message = await desk.send(await desk.conversation(channel, "poison@client.test"))
    assert (await desk.reached(message))["status"] == "sent"
    (mail,) = await arrived(peer, "poison@client.test")
    assert "Kind regards from Acme after the poison" in mail.text
    slow = await desk.connected(peer.port, undo_seconds=120)
    wishes = [await desk.send(await desk.conversation(slow, f"poison{n}@client.test")) for n in range(8)]
    answers = await asyncio.gather(*map(desk.interrupt, wishes))
    assert {answer.json()["outcome"] for answer in answers} == {"interrupted"}


async def test_nobody_is_behind(poisoned: dict[tuple[str, str], Heard], stack: Stack, ear: Ear) -> None:
    await _read_to_the_end(stack, ear)


async def _read_to_the_end(stack: Stack, ear: Ear) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    try:
        limit = time.monotonic() + 20
        while late := await _late(admin, ear):
            assert time.monotonic() < limit, f"not read to the end: {late}"
            await asyncio.sleep(0.3)
    finally:
        await admin.close()


async def _late(admin: AIOKafkaAdminClient, ear: Ear) -> list[tuple[str, TopicPartition]]:
    ends: dict[tuple[str, int], int] = {}
    for one in ear.heard:
        ends[one.topic, one.partition] = max(one.offset + 1, ends.get((one.topic, one.partition), 0))
    late = []
    for group in await admin.list_consumer_groups():
        name = group[0]
        for partition, read in (await admin.list_consumer_group_offsets(name)).items():
            if read.offset < ends.get((partition.topic, partition.partition), 0):
                late.append((name, partition))
    return late
