"""Consuming: FastStream subscribers made in one place, at least once, in batches, in order by key.

FastStream's default acknowledges first (at most once), and a policy set on the broker does not reach included
routers; so every subscriber is made by ``subscribe`` with ``NACK_ON_ERROR``, and a test looks at each. The stock batch
subscriber sleeps as long again when a poll came back empty; ``_Prompt`` returns as soon as a record comes, and under
load reads at a pace: every read, batch and request to Kafka has its price, however few records are in it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeAlias, cast

from aiokafka import AIOKafkaConsumer
from aiokafka import ConsumerRecord as Consumed
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faststream._internal.endpoint.subscriber.utils import MultiLock
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage
from faststream.kafka.subscriber.usecase import BatchSubscriber
from faststream.middlewares import AckPolicy

from contracts.payload import Payload
from contracts.topics import Topic
from services.kit import logs
from services.kit.commits import Batch, Commits
from services.kit.dead_letters import Breaker, Graveyard
from services.kit.dispatch import Dispatch, Forget, Handler
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings
from services.kit.shards import Assigned, Listener
from services.kit.unavailable import Unavailable

log = logs.get_logger()
POLL_MS = 1000
PACE_S, A_RECORD_S = 0.03, 0.001
Raw: TypeAlias = "Consumed[bytes | None, bytes | None]"


@dataclass(frozen=True, slots=True)
class On:
    """One consumer of a service: these topics, each event type answered by one handler.

    ``name`` makes the consumer group (``malote.<service>.<name>``); ``forget`` is told of null records; ``batch`` is
    the most records taken at once. ``assigned``: the (one, compacted) topic's partitions are shards of work; it hears
    which are this replica's, and each assignment replays them from the start.

    ``ordered`` false is for projections guarded by version: the events of a key are handled together. ``pace_s``: the
    most seconds from one read to the next, when the last one found much; an event that comes alone never waits.
    """

    name: str
    topics: tuple[Topic, ...]
    handlers: Mapping[type[Payload], Handler]
    forget: Forget | None = None
    batch: int = 500
    assigned: Assigned | None = None
    ordered: bool = True
    pace_s: float = PACE_S


class _Prompt(BatchSubscriber):
    """The batch subscriber, without its wait after an empty poll. Each has a class of its own, with its settings."""

    __slots__ = ()
    pace_s: float = PACE_S
    commits: Commits
    next_read: float = float("-inf")

    async def get_msg(self, consumer: AIOKafkaConsumer) -> tuple[Raw, ...]:
        loop, own = asyncio.get_running_loop(), type(self)
        if (left := own.next_read - loop.time()) > 0:
            await asyncio.sleep(left)
        consumer.resume(*consumer.paused())
        found = tuple(chain(*(await consumer.getmany(timeout_ms=POLL_MS, max_records=self.max_records)).values()))
        own.next_read = loop.time() + min(own.pace_s, PACE_S + len(found) * A_RECORD_S)
        if found:
            # A fetch until the next read would come back with the first record that arrives, and that one alone would
            # be the next read.
            consumer.pause(*consumer.assignment())
        return found

    async def _ensure_topics(self) -> None:
        """Provisioning makes them; the stock one warns of that at every start."""

    async def stop(self) -> None:
        """The batch in hand ends, what was handled is committed, then the consumer leaves."""
        self.running = False
        if isinstance(self.lock, MultiLock):
            await self.lock.wait_release(self._outer_config.graceful_timeout)
        if self.consumer is not None:
            await self.commits.close(self.consumer)
        await super().stop()


def broker(settings: KitSettings, service: str) -> KafkaBroker:
    """The FastStream broker of a service: consuming only, bodies as they are, logging where everybody logs."""
    return KafkaBroker(
        settings.kafka, client_id=f"malote-{service}-{settings.instance}", consumer_only=True, apply_types=False,
        allow_auto_create_topics=False, request_timeout_ms=40_000, graceful_timeout=30.0, decoder=_records,
        metadata_max_age_ms=60_000, logger=logging.getLogger("kit.broker"), log_level=logging.DEBUG,
    )  # fmt: skip


def subscribe(to: KafkaBroker, settings: KitSettings, service: str, on: On, publisher: Publisher) -> Breaker:
    """Adds the consumer to the broker; returns its breaker."""
    breaker = Breaker(f"{service}.{on.name}")
    listener = Listener(on.topics[0].name, on.assigned) if on.assigned else None
    commits = Commits()
    dispatch = Dispatch(on.handlers, Graveyard(publisher, breaker), on.forget, ordered=on.ordered)
    subscriber = to.subscriber(
        *(topic.name for topic in on.topics), batch=True, max_records=on.batch, parser=_parser(commits),
        ack_policy=AckPolicy.NACK_ON_ERROR, auto_offset_reset="earliest", group_id=f"malote.{service}.{on.name}",
        group_instance_id=f"{settings.instance}.{on.name}", partition_assignment_strategy=(_sticky(service, on.name),),
        session_timeout_ms=int(settings.session_timeout_s * 1000), rebalance_timeout_ms=30_000,
        listener=listener, max_partition_fetch_bytes=2 * 1024 * 1024,
        fetch_max_wait_ms=1_000,
    )  # fmt: skip
    own = {"__slots__": (), "pace_s": on.pace_s, "commits": commits}
    subscriber.__class__ = type(f"_Prompt_{on.name}", (_Prompt,), own)
    if listener is not None:
        listener.consumer = lambda: subscriber.consumer
    subscriber(_answer(dispatch, breaker))
    return breaker


def _answer(dispatch: Dispatch, breaker: Breaker) -> Callable[[Sequence[Raw]], Awaitable[None]]:
    async def answer(records: Sequence[Raw]) -> None:
        try:
            await dispatch.batch(records)
        except Unavailable as error:
            log.warning("batch_postponed", consumer=breaker.name, reason=str(error), records=len(records))
            await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
            raise
        for _ in records:
            breaker.count(refused=False)

    return answer


def _sticky(service: str, name: str) -> type[StickyPartitionAssignor]:
    """A class of its own: the assignor keeps its state on the class, two consumers in a process would share it."""
    return type(f"Sticky_{service}_{name}", (StickyPartitionAssignor,), {})


def _parser(commits: Commits) -> Callable[[tuple[Raw, ...], Any], Awaitable[KafkaMessage]]:
    """FastStream's message around the untouched records: its own parser raises on a header that is not UTF-8."""

    async def parse(records: tuple[Raw, ...], original: Any) -> KafkaMessage:
        bare = replace(records[0], headers=())
        message = cast(KafkaMessage, await original((bare,)))
        message.raw_message, message.body = records, records
        message.consumer = Batch(commits, message.consumer, records)
        return message

    return parse


async def _records(message: KafkaMessage) -> object:
    return message.raw_message
