"""Topics for tests of the kit, made without the provisioning job."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from contracts.topics import Topic


async def make(bootstrap: str, topics: Iterable[Topic], *, partitions: int = 2) -> None:
    """Creates these topics and their dead letters; what is there already stays."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for topic in topics:
            for name in (topic.name, topic.dead_letters):
                try:
                    await admin.create_topics([NewTopic(name, partitions, 1)])
                except TopicAlreadyExistsError:
                    continue
    finally:
        await admin.close()
