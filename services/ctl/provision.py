"""``provision``: topics and indexes, as often as one likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import Final, TypeVar

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from contracts.topics import TOPICS
from services.ctl.indexes import ensure_all
from services.ctl.kafka_topics import TopicsRefused, open_topics
from services.ctl.plan import Plan, Scale, plan, wanted
from services.ctl.settings import Settings
from services.kit.mongo import connect

T = TypeVar("T")
PAUSE_S: Final = 1.0


class Exit(IntEnum):
    """What the command ended with; 2 is argparse's, for a wrong command line."""

    DONE = 0
    REFUSED = 3
    UNREACHABLE = 4


async def provision(settings: Settings, *, wait_s: float) -> Exit:
    """Makes what is missing and says so, line by line; refuses to change a partition count."""
    try:
        made = await _patiently(lambda: _topics(settings), wait_s)
        if made.refused:
            return _refuse(made)
        databases = await _patiently(lambda: _indexes(settings), wait_s)
    except TopicsRefused as error:
        print(f"refused: {error}")
        return Exit.REFUSED
    except (KafkaError, PyMongoError, OSError) as error:
        print(f"unreachable after {wait_s:.0f} s: {type(error).__name__}. Are MALOTE_KAFKA and MALOTE_MONGO right?")
        return Exit.UNREACHABLE
    print(f"topics: {len(made.create)} created, {len(made.configure)} changed, {made.kept} as they were")
    print(f"indexes: {', '.join(databases)}")
    return Exit.DONE


def _refuse(made: Plan) -> Exit:
    for line in made.refused:
        print(f"refused: {line}")
    print(
        "A partition count is frozen: keys would lose their order. Check MALOTE_PARTITION_DIVISOR, or make a new topic"
    )
    print("version. Nothing was changed.")
    return Exit.REFUSED


async def _topics(settings: Settings) -> Plan:
    wishes = wanted(TOPICS, Scale(settings.partition_divisor, settings.replication))
    async with open_topics(settings.kafka) as topics:
        made = plan(wishes, await topics.find([wish.name for wish in wishes]))
        if not made.refused:
            await topics.create(made.create)
            await topics.configure(made.configure)
    return made


async def _indexes(settings: Settings) -> list[str]:
    client = connect(settings.mongo)
    try:
        return await ensure_all(client, settings.database)
    finally:
        client.close()


async def _patiently(step: Callable[[], Awaitable[T]], wait_s: float) -> T:
    """Repeats a step until its server is there; raises what it met last when the time is over."""
    until = time.monotonic() + wait_s
    while True:
        try:
            return await step()
        except (KafkaError, PyMongoError, OSError):
            if time.monotonic() + PAUSE_S > until:
                raise
        await asyncio.sleep(PAUSE_S)
