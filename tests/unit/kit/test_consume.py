"""Every subscriber is made in one place, and made there it is at least once, static, sticky and alone."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.middlewares import AckPolicy

from contracts.topics import CANCEL_REQUESTS, CHANNELS, COMPOSED
from services.kit.consume import PACE_S, On, broker, subscribe
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings

SERVICES = Path(__file__).parents[3] / "services"
SETTINGS = KitSettings(instance="outbox-0")
PART = TopicPartition(COMPOSED.name, 0)


def subscribed() -> list[BatchSubscriber]:
    """The three subscribers of one service."""
    made = broker(SETTINGS, "outbox")
    publisher = Publisher(SETTINGS.kafka, "test")
    for on in (On("composed", (COMPOSED,), {}), On("cancels", (CANCEL_REQUESTS,), {}), On("own", (CHANNELS,), {})):
        subscribe(made, SETTINGS, "outbox", on, publisher)
    found = [one for one in made.subscribers if isinstance(one, BatchSubscriber)]
    assert len(found) == len(made.subscribers) == 3
    return found


def test_no_subscriber_is_made_elsewhere() -> None:
    makers = set()
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "subscriber":
                makers.add(str(path.relative_to(SERVICES)))
    assert makers == {"kit/consume.py"}


def test_each_is_at_least_once_in_batches_from_the_beginning() -> None:
    for subscriber in subscribed():
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
        asked = subscriber._connection_args
        assert asked["enable_auto_commit"] is False
        assert asked["auto_offset_reset"] == "earliest"


def test_each_has_a_group_and_a_stable_name_of_its_own() -> None:
    made = subscribed()
    assert {one.group_id for one in made} == {f"malote.outbox.{name}" for name in ("composed", "cancels", "own")}
    assert {one._connection_args["group_instance_id"] for one in made} == {
        f"outbox-0.{name}" for name in ("composed", "cancels", "own")
    }


def test_each_has_a_sticky_class_of_its_own() -> None:
    strategies = [one._connection_args["partition_assignment_strategy"] for one in subscribed()]
    assert all(len(strategy) == 1 and issubclass(strategy[0], StickyPartitionAssignor) for strategy in strategies)
    assert len({strategy[0] for strategy in strategies}) == 3


class FakeConsumer:
    """Gives one prepared read after the other; nobody reads while it is paused."""

    def __init__(self, *reads: list[str]) -> None:
        self.reads, self.stopped = list(reads), set[TopicPartition]()

    def assignment(self) -> set[TopicPartition]:
        return {PART}

    def paused(self) -> set[TopicPartition]:
        return self.stopped

    def pause(self, *parts: TopicPartition) -> None:
        self.stopped = {*parts}

    def resume(self, *parts: TopicPartition) -> None:
        self.stopped = self.stopped - {*parts}

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[str]]:
        assert not self.stopped
        return {PART: self.reads.pop(0)} if self.reads else {}


def reader() -> Any:
    """A subscriber's own way of reading."""
    made = broker(SETTINGS, "outbox")
    subscribe(made, SETTINGS, "outbox", On("read", (COMPOSED,), {}), Publisher("", "test"))
    return made.subscribers[0]


async def test_a_lone_record_is_read_at_once_and_the_next_read_keeps_the_pace() -> None:
    consumer, loop = FakeConsumer(["a"], ["b", "c"]), asyncio.get_running_loop()
    subscriber, began = reader(), loop.time()
    assert await subscriber.get_msg(consumer) == ("a",)
    assert loop.time() - began < PACE_S / 2
    assert consumer.stopped  # nothing is fetched until the next read
    assert await subscriber.get_msg(consumer) == ("b", "c")
    assert loop.time() - began >= PACE_S
    assert await subscriber.get_msg(consumer) == ()
    assert not consumer.stopped  # the next one is fetched as soon as it comes
