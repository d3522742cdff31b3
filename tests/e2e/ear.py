"""What lies on every topic, dead letters among them, as a consumer with rights on all of them reads it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from contracts.cloudevents import decode
from contracts.event import AnyEvent
from contracts.topics import TOPICS

POISON = "test-poison"
"""A header of records a test puts on a topic by itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One record as it lies in Kafka; `headers` in order, as bytes."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None

    @property
    def attributes(self) -> dict[str, str]:
        """The headers as text."""
        return {name: octets.decode("utf-8", "replace") for name, octets in self.headers}

    @property
    def ours(self) -> bool:
        """Whether a service wrote it, not a test; null records aside."""
        return self.value is not None and POISON not in self.attributes

    @property
    def event(self) -> AnyEvent:
        """The event in it; raises Undecodable."""
        return decode(self.headers, self.value or b"")


class Ear:
    """Reads every partition of every topic from the start, without a group; `heard` grows meanwhile."""

    def __init__(self, bootstrap: str) -> None:
        self.heard: list[Heard] = []
        names = [name for topic in TOPICS for name in (topic.name, topic.dead_letters)]
        self._consumer = AIOKafkaConsumer(
            *names, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest",
            fetch_max_wait_ms=100, max_partition_fetch_bytes=4 * 1024 * 1024,
        )  # fmt: skip
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        await self._consumer.start()
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    async def _read(self) -> None:
        while True:
            try:
                batch = await self._consumer.getmany(timeout_ms=200)
            except KafkaError:
                await asyncio.sleep(0.2)
                continue
            self.heard += [
                Heard(one.topic, one.partition, one.offset, one.key, tuple(one.headers), one.value)
                for records in batch.values()
                for one in records
            ]

    def on(self, topic: str) -> list[Heard]:
        """Everything on a topic so far, each partition in order."""
        return [one for one in self.heard if one.topic == topic]

    def events(self, *topics: str) -> Iterator[AnyEvent]:
        """The events services put on these topics so far."""
        return (one.event for one in self.heard if one.topic in topics and one.ours)

    async def until(self, found: Callable[[], Any], within_s: float = 15, what: str = "record") -> Any:
        """The first true value of `found`; raises AssertionError when time runs out."""
        limit = time.monotonic() + within_s
        while not (value := found()):
            assert time.monotonic() < limit, f"no such {what} within {within_s} s"
            await asyncio.sleep(0.05)
        return value

    async def settle(self, quiet_s: float = 0.6) -> None:
        """Return when nothing new came for a moment."""
        seen = -1
        while seen != len(self.heard):
            seen = len(self.heard)
            await asyncio.sleep(quiet_s)
