"""Publishing to Kafka: pipelined, idempotent, acknowledged, with a deadline and a rebuild.

An idempotent producer never gives up by itself, and after some broker changes it loops on NotLeaderForPartition for
ever (aio-libs/aiokafka#1018). So each publish has a deadline; an expired one means *unknown*, the producer is rebuilt,
and after ``REBUILDS`` in a row without one acknowledgement the process ends so that its runner starts it afresh.
"""

from __future__ import annotations

import asyncio
import os
import random
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.cloudevents import Headers, encode, key
from contracts.event import AnyEvent
from contracts.topics import Topic
from services.kit import logs
from services.kit.unavailable import Unanswered

log = logs.get_logger()
REBUILDS = 5
_M, _MASK = 0x5BD1E995, 0xFFFFFFFF


@lru_cache(maxsize=20_000)  # a channel's or message's key comes again
def _hashed(key: bytes) -> int:
    """Kafka's murmur2 of a key without its sign, as aiokafka has it, at half the price: whole words at once."""
    length = len(key)
    mixed = 0x9747B28C ^ length
    for word in struct.unpack_from(f"<{length >> 2}I", key):
        part = word * _M & _MASK
        mixed = mixed * _M & _MASK ^ (part ^ part >> 24) * _M & _MASK
    if rest := key[length & ~3 :]:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * _M & _MASK
    mixed = (mixed ^ mixed >> 13) * _M & _MASK
    return (mixed ^ mixed >> 15) & 0x7FFFFFFF


def _partition(key: bytes | None, all_partitions: list[int], available: list[int]) -> int:
    """Kafka's own partitioning: murmur2 of the key."""
    if key is None:
        return random.choice(available or all_partitions)  # noqa: S311 - spreads load, no secret
    return all_partitions[_hashed(key) % len(all_partitions)]


def partition_of(tenant: str, subject: str, count: int) -> int:
    """The partition, of so many, in which the events of this key are."""
    return _hashed(key(tenant, subject)) % count


class Publishes(Protocol):
    """Takes the fact and nothing else: topic, key and headers come from the contracts."""

    async def publish(self, event: AnyEvent) -> None:
        """Returns when Kafka has acknowledged the event; raises Unavailable when it may not have taken it."""
        ...

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """Writes the null record that lets a compacted topic drop a key."""
        ...


class Publisher:
    """The real one, over aiokafka; concurrent calls share batches."""

    def __init__(self, bootstrap: str, client_id: str, *, deadline_s: float = 30.0) -> None:
        self._bootstrap, self._client_id, self._deadline_s = bootstrap, client_id, deadline_s
        self._producer: AIOKafkaProducer | None = None
        self._rebuilding = asyncio.Lock()
        self._rebuilt = 0

    async def start(self) -> None:
        """Connects; raises KafkaError when the cluster is down."""
        self._producer = await self._connect()

    async def stop(self) -> None:
        """Flushes and disconnects."""
        if self._producer is not None:
            await self._producer.stop()

    async def publish(self, event: AnyEvent) -> None:
        """See Publishes."""
        record = encode(event)
        await self.send(record.topic, record.key, record.value, record.headers)

    async def publish_all(self, events: Sequence[AnyEvent]) -> None:
        """In this order, pipelined, under one deadline; returns when all are acknowledged. Raises Unanswered."""
        producer = self._producer
        if producer is None:
            raise Unanswered("the producer is not started")
        try:
            async with asyncio.timeout(self._deadline_s):
                sent = []
                for record in map(encode, events):
                    sent.append(await producer.send(record.topic, record.value, record.key, headers=record.headers))
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError) as error:
            await self._rebuild(producer)
            raise Unanswered(f"Kafka did not acknowledge: {type(error).__name__}") from error
        self._rebuilt = 0

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """See Publishes."""
        await self.send(topic.name, key(tenant, subject), None, [])

    async def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """One raw record; dead letters use it too. Raises Unanswered."""
        producer = self._producer
        if producer is None:
            raise Unanswered("the producer is not started")
        try:
            async with asyncio.timeout(self._deadline_s):
                await (await producer.send(topic, value, key, headers=headers))
        except (KafkaError, TimeoutError) as error:
            await self._rebuild(producer)
            raise Unanswered(f"Kafka did not acknowledge: {type(error).__name__}") from error
        self._rebuilt = 0

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, client_id=self._client_id, enable_idempotence=True, acks="all",
            linger_ms=0, max_batch_size=256 * 1024, max_request_size=1024 * 1024, request_timeout_ms=10_000,
            partitioner=_partition,
        )  # fmt: skip
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _rebuild(self, broken: AIOKafkaProducer) -> None:
        async with self._rebuilding:
            if self._producer is not broken:
                return
            self._rebuilt += 1
            log.warning("producer_rebuilt", times=self._rebuilt)
            if self._rebuilt > REBUILDS:
                log.critical("producer_given_up")
                os._exit(70)
            try:
                async with asyncio.timeout(self._deadline_s):
                    self._producer = await self._connect()
            except (KafkaError, TimeoutError):
                return
            asyncio.get_running_loop().create_task(_discard(broken))


async def _discard(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(5):
            await producer.stop()
    except (KafkaError, TimeoutError):
        log.warning("producer_discarded")
