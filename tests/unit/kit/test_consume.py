"""Every subscriber is made in one place, and made there it is at least once, static, sticky and alone."""

from __future__ import annotations

import ast
from pathlib import Path

from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.middlewares import AckPolicy

from contracts.topics import CANCEL_REQUESTS, CHANNELS, COMPOSED
from services.kit.consume import On, broker, subscribe
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings

SERVICES = Path(__file__).parents[3] / "services"
SETTINGS = KitSettings(instance="outbox-0")


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
