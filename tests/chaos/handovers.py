"""What a change of replicas moves: a fourth joins, then it is killed and stays dead.

*moved*: shards (partitions of the channels' topic) whose mailboxes got another owner when it joined; with the sticky
assignor no more than its share. *takeover_s*: from its SIGKILL until somebody else announced a mail that was written to
each of its mailboxes right behind the kill.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from contracts.topics import CHANNELS
from services.ingest.adapters.indexes import CURSORS
from services.kit.mongo import connect, key
from services.kit.publisher import partition_of
from services.kit.settings import KitSettings
from tests.infra.inbound_stage import Box, InboundStage

SETTLED_S, LIMIT_S = 8.0, 90.0
LETTER = (
    b"From: c@client.test\r\nTo: desk@mail.test\r\nSubject: taken over\r\n"
    b"Message-ID: <%d.over@kills.test>\r\n\r\nhi\r\n"
)
Owners = dict[str, str]
"""The replica that holds each channel."""


@dataclass(frozen=True, slots=True)
class Handovers:
    """The figures, and what they may be at most."""

    shards: int
    moved: int
    takeover_s: float
    takeover_limit_s: float

    @property
    def moved_limit(self) -> int:
        """A quarter, and two."""
        return self.shards // 4 + 2

    @property
    def hold(self) -> bool:
        """Whether both are kept; nothing moved at all is no handover."""
        return 0 < self.moved <= self.moved_limit and self.takeover_s <= self.takeover_limit_s


async def measure(stage: InboundStage, boxes: Sequence[Box]) -> Handovers:
    """Let one more replica join, look, kill it, look again; as many replicas are left as there were."""
    shards = await _count(stage.stack.kafka)
    before = await _settled(stage, boxes, lambda owners: len(owners) == len(boxes))
    joined = stage.stack.start("ingest", len(set(before.values())))
    after = await _settled(stage, boxes, lambda owners: joined in owners.values())
    moved = {partition_of(box.tenant, box.channel_id, shards) for box in boxes
             if before[box.channel_id] != after[box.channel_id]}  # fmt: skip
    took = await _take_over(stage, joined, [box for box in boxes if after[box.channel_id] == joined])
    return Handovers(shards, len(moved), took, KitSettings(instance="any").session_timeout_s + 10.0)


async def _take_over(stage: InboundStage, victim: str, boxes: Sequence[Box]) -> float:
    before = len(stage.ear.mails)
    wanted = {box.channel_id for box in boxes}
    await stage.stack.kill9(victim)
    killed = time.time()
    await asyncio.gather(*(stage.dovecot.deliver(box.user, LETTER % n) for n, box in enumerate(boxes)))

    def missing() -> set[str]:
        return wanted - {mail.channel_id for mail in stage.ear.mails[before:]}

    if not await stage.ear.until(lambda: not missing(), LIMIT_S):
        return float("inf")
    return max(mail.at for mail in stage.ear.mails[before:] if mail.channel_id in wanted) - killed


async def _settled(stage: InboundStage, boxes: Sequence[Box], enough: Callable[[Owners], bool]) -> Owners:
    """The owners, once there are enough and none has changed for a while."""
    client = connect(stage.stack.mongo)
    cursors = client[KitSettings(instance="any").database("ingest")][CURSORS]
    limit, since, last = time.monotonic() + LIMIT_S, time.monotonic(), Owners()
    try:
        while time.monotonic() < limit:
            ids = {key(box.tenant, box.channel_id): box.channel_id for box in boxes}
            found = await cursors.find({"_id": {"$in": list(ids)}}, {"owner": 1}).to_list(None)
            owners = {ids[one["_id"]]: one["owner"].partition("/")[0] for one in found}
            if owners != last:
                last, since = owners, time.monotonic()
            if enough(owners) and time.monotonic() - since > SETTLED_S:
                return owners
            await asyncio.sleep(0.5)
    finally:
        client.close()
    raise RuntimeError(f"the shards do not settle: {sorted(last.values())}")


async def _count(bootstrap: str) -> int:
    consumer = AIOKafkaConsumer(CHANNELS.name, bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        return len(consumer.partitions_for_topic(CHANNELS.name) or ())
    finally:
        await consumer.stop()
