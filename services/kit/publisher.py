"""Publishing to Kafka: pipelined, idempotent, acknowledged, with a deadline and a rebuild.

An idempotent producer never gives up by itself, and after some broker changes it loops on NotLeaderForPartition for
ever (aio-libs/aiokafka#1018). So each publish has a deadline; an expired one means *unknown*, the producer is rebuilt,
and after ``REBUILDS`` in a row without one acknowledgement the process ends so that its runner starts it afresh.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from services.kit.coalesce import Coalescer
from services.kit.unavailable import Unanswered, Unavailable

log = logs.get_logger()
REBUILDS = 5
IN_FLIGHT, PACE_S = 8, 0.015
"""Groups that wait for their acknowledgement at once, and seconds between their beginnings under load: a request to
Kafka has its price, however few records are in it."""
_Raw = tuple[str, bytes | None, bytes | None, Headers]
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
    """The real one, over aiokafka; concurrent calls are sent together."""

    def __init__(self, bootstrap: str, client_id: str, *, deadline_s: float = 30.0) -> None:
        self._bootstrap, self._client_id, self._deadline_s = bootstrap, client_id, deadline_s
        self._group: Coalescer[_Raw, Unanswered | None] = Coalescer(self._send, in_flight=IN_FLIGHT, pace_s=PACE_S)
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
        for error in await self.publish_each(events):
            if error is not None:
                raise error

    async def publish_each(self, events: Sequence[AnyEvent]) -> Sequence[Unavailable | None]:
        """In this order, pipelined; returns when each is acknowledged (None) or may not have been taken."""
        return await self._send([(each.topic, each.key, each.value, each.headers) for each in map(encode, events)])

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """See Publishes."""
        await self.send(topic.name, key(tenant, subject), None, [])

    async def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """One raw record; dead letters use it too. Raises Unanswered."""
        error: Unanswered | None = await self._group.submit((topic, key, value, headers))
        if error is not None:
            raise error

    async def _send(self, records: Sequence[_Raw]) -> Sequence[Unanswered | None]:
        """In this order, under one deadline; each record's own outcome."""
        producer = self._producer
        outcomes: list[Unanswered | None] = [Unanswered("Kafka did not acknowledge in time")] * len(records)
        if producer is None:
            return [Unanswered("the producer is not started")] * len(records)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._deadline_s):
                sent = [await _begun(producer, record) for record in records]
                outcomes = [_outcome(each) for each in await asyncio.gather(*sent, return_exceptions=True)]
        if not any(outcomes):
            self._rebuilt = 0
        else:
            await self._rebuild(producer)
        return outcomes

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


async def _begun(producer: AIOKafkaProducer, record: _Raw) -> asyncio.Future[object]:
    """The acknowledgement to wait for; a record that is refused at once has failed already."""
    topic, key, value, headers = record
    try:
        acknowledged: asyncio.Future[object] = await producer.send(topic, value, key, headers=headers)
    except KafkaError as error:
        failed: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        failed.set_exception(error)
        return failed
    return acknowledged


def _outcome(said: object) -> Unanswered | None:
    """None where it was acknowledged; raises what is no error of Kafka's."""
    if isinstance(said, KafkaError):
        return Unanswered(f"Kafka did not acknowledge: {type(said).__name__}")
    if isinstance(said, BaseException):
        raise said
    return None


async def _discard(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(5):
            await producer.stop()
    except (KafkaError, TimeoutError):
        log.warning("producer_discarded")
