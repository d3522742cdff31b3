"""Partitions as shards of work: which are this replica's, replayed from the start whenever they are assigned.

```
(none) --assigned--> mine, replayed --assigned again--> mine, replayed again    revoked: nothing until the next assign
   mine --no heartbeat answered for a session--> nobody's, as far as we know --answered again--> mine
```

The group's assignment is no mutex: what is done on its behalf is fenced where it is written.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from services.kit.publisher import partition_of


@dataclass(slots=True)
class Pulse:
    """When the group's coordinator last answered a heartbeat of ours; ``age`` in seconds."""

    last: float = field(default_factory=time.monotonic)

    @property
    def age(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.last

    def take(self, consumer: AIOKafkaConsumer) -> None:
        """Begin to listen to this consumer's heartbeat: aiokafka has no view of it, so its one call is wrapped."""
        self.last = time.monotonic()
        coordinator: Any = consumer._coordinator
        beat: Callable[[], Awaitable[bool]] = coordinator._do_heartbeat
        if getattr(beat, "pulse", None) is not None:
            return

        async def noted() -> bool:
            answered = await beat()
            if answered:
                self.last = time.monotonic()
            return answered

        noted.pulse = self  # type: ignore[attr-defined]  # a mark on the function
        coordinator._do_heartbeat = noted


@dataclass(frozen=True, slots=True)
class Shards:
    """What was assigned of one topic: our partitions, how many there are, and the pulse of the group's membership."""

    topic: str
    mine: frozenset[int]
    count: int
    pulse: Pulse

    def has(self, tenant: str, subject: str) -> bool:
        """Whether the key's partition is ours."""
        return self.count > 0 and partition_of(tenant, subject, self.count) in self.mine


Assigned = Callable[[Shards], Awaitable[None]]


class Listener(ConsumerRebalanceListener):
    """Replays what is assigned and tells the service; ``consumer`` is known only once the subscriber starts."""

    def __init__(self, topic: str, assigned: Assigned) -> None:
        self._topic, self._assigned, self._pulse = topic, assigned, Pulse()
        self.consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Nothing: what was ours stays ours until somebody else has it."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """From the start, all of it: a replay cut short by a rebalance would go on where the group had committed."""
        consumer = self.consumer()
        if consumer is None:
            raise RuntimeError("partitions for a consumer that is not started")
        parts = [part for part in assigned if part.topic == self._topic]
        self._pulse.take(consumer)
        for part in parts:
            consumer.seek(part, 0)
        count = len(consumer.partitions_for_topic(self._topic) or ())
        await self._assigned(Shards(self._topic, frozenset(part.partition for part in parts), count, self._pulse))
