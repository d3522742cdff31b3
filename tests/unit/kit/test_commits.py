"""Offsets: a lone batch's at once, those of a row together, never one that was not handled, none lost on stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from services.kit.commits import Batch, Commits

LONG_S = 60.0


@dataclass
class Record:
    """A place in the topic."""

    partition: int
    offset: int
    topic: str = "t"


@dataclass
class FakeConsumer:
    """Owns partitions 0 and 1."""

    commits: list[dict[int, int]] = field(default_factory=list)
    sought: list[tuple[int, int]] = field(default_factory=list)
    refuses: int = 0
    gate: asyncio.Event | None = None

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("t", 0), TopicPartition("t", 1)}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.refuses:
            self.refuses -= 1
            raise CommitFailedError()
        self.commits.append({part.partition: at for part, at in offsets.items()})

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought.append((partition.partition, offset))


async def handled(commits: Commits, consumer: FakeConsumer, *places: tuple[int, int]) -> None:
    """One batch has met its end."""
    await Batch(commits, consumer, tuple(Record(*place) for place in places)).commit()


def real(consumer: FakeConsumer) -> AIOKafkaConsumer:
    return cast(AIOKafkaConsumer, cast(Any, consumer))


async def test_a_batch_that_comes_alone_is_committed_when_it_is_handled() -> None:
    commits, consumer = Commits(LONG_S), FakeConsumer()
    await handled(commits, consumer, (0, 4), (0, 5), (1, 9))
    assert consumer.commits == [{0: 6, 1: 10}]


async def test_batches_in_a_row_share_a_commit_of_what_was_handled() -> None:
    commits, consumer = Commits(0.05), FakeConsumer()
    for n in range(20):
        await handled(commits, consumer, (0, n))
    assert consumer.commits == [{0: 1}]
    await asyncio.sleep(0.1)
    assert consumer.commits == [{0: 1}, {0: 20}]


async def test_what_is_handled_while_a_commit_is_under_way_is_committed_too() -> None:
    commits, consumer = Commits(0.01), FakeConsumer()
    await handled(commits, consumer, (0, 0))
    consumer.gate = asyncio.Event()
    await handled(commits, consumer, (0, 1))
    await asyncio.sleep(0.03)
    await handled(commits, consumer, (0, 2))
    consumer.gate.set()
    await asyncio.sleep(0.05)
    assert consumer.commits[-1] == {0: 3}


async def test_the_end_commits_what_is_left() -> None:
    commits, consumer = Commits(LONG_S), FakeConsumer()
    for n in range(3):
        await handled(commits, consumer, (1, n))
    await commits.close(real(consumer))
    assert consumer.commits == [{1: 1}, {1: 3}]


async def test_partitions_of_somebody_else_are_left_to_him() -> None:
    commits, consumer = Commits(LONG_S), FakeConsumer()
    await handled(commits, consumer, (7, 1))
    assert consumer.commits == []
    await handled(commits, consumer, (7, 2), (0, 3))
    await commits.close(real(consumer))
    assert consumer.commits == [{0: 4}]


async def test_a_refused_commit_is_made_good_by_the_next() -> None:
    commits, consumer = Commits(0.0), FakeConsumer(refuses=1)
    await handled(commits, consumer, (0, 0))
    await handled(commits, consumer, (0, 1))
    assert consumer.commits == [{0: 2}]


async def test_a_batch_that_failed_comes_again_from_its_first_record() -> None:
    commits, consumer = Commits(LONG_S), FakeConsumer()
    Batch(commits, consumer, (Record(0, 5),)).seek(TopicPartition("t", 0), 5)
    await commits.close(real(consumer))
    assert (consumer.sought, consumer.commits) == ([(0, 5)], [])
