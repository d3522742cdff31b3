"""Offsets of handled batches, committed at once when they come alone and together when they come in a row.

A commit is a request, a record in Kafka and a wait; at full speed one a batch costs more than the batch. What a crash
leaves uncommitted is handled once more, which is what at least once means anyway.

    handled, nothing lately --> committed, awaited
    handled, committed lately --> noted --after EVERY_S, or on stop--> committed
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.kit import logs

log = logs.get_logger()
EVERY_S: Final = 0.25


class Placed(Protocol):
    """What we need of a record."""

    topic: str
    partition: int
    offset: int


class Commits:
    """Those of one consumer. Offsets are named, never "as far as was read": the next batch is read meanwhile."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self._every_s, self._next = every_s, float("-inf")
        self._noted: dict[TopicPartition, int] = {}
        self._later: asyncio.Task[None] | None = None

    async def handled(self, consumer: AIOKafkaConsumer, records: Iterable[Placed]) -> None:
        """These records, and all before them in their partitions, have met their end."""
        for record in records:
            part = TopicPartition(record.topic, record.partition)
            self._noted[part] = max(record.offset + 1, self._noted.get(part, 0))
        if self._later is not None and not self._later.done():
            return
        if self._left() <= 0:
            await self._flush(consumer)
        else:
            self._later = asyncio.create_task(self._flush_later(consumer))

    async def close(self, consumer: AIOKafkaConsumer) -> None:
        """Commits what is left; the last call."""
        if self._later is not None:
            self._later.cancel()
        await self._flush(consumer)

    async def _flush(self, consumer: AIOKafkaConsumer) -> None:
        """Commits what is noted; partitions that somebody else has by now are his to commit."""
        self._next = asyncio.get_running_loop().time() + self._every_s
        mine = consumer.assignment()
        noted, self._noted = {part: at for part, at in self._noted.items() if part in mine}, {}
        if not noted:
            return
        try:
            await consumer.commit(noted)
        except KafkaError as error:
            log.warning("commit_failed", reason=type(error).__name__)

    async def _flush_later(self, consumer: AIOKafkaConsumer) -> None:
        while self._noted:
            await asyncio.sleep(self._left())
            await self._flush(consumer)

    def _left(self) -> float:
        """Seconds until the next commit may be made."""
        return self._next - asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch as FastStream resolves it: it calls ``commit`` or ``seek`` on a message's consumer."""

    commits: Commits
    consumer: Any
    records: tuple[Placed, ...]

    async def commit(self) -> None:
        """The batch was handled."""
        await self.commits.handled(self.consumer, self.records)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The batch is to come again from here."""
        self.consumer.seek(partition=partition, offset=offset)
