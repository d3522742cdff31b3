"""Listening to `mail.outbound.v1` during a run, as another team's consumer would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from contracts.cloudevents import Undecodable
from contracts.topics import OUTBOUND
from tests.chaos.history import Spoken
from tests.chaos.reading import spoken


class Listener:
    """Reads every partition from where it stood at the start; `calls` are called with every record."""

    def __init__(self, bootstrap: str, topic: str = OUTBOUND.name) -> None:
        self._bootstrap, self._topic = bootstrap, topic
        self.records: list[Spoken] = []
        self.undecodable = 0
        self.calls: list[Callable[[Spoken], None]] = []

    async def __aenter__(self) -> Self:
        """Find the ends of all partitions and begin to read behind them."""
        # Without a group every partition is ours, and a broker that was killed cannot move them elsewhere.
        self._consumer = AIOKafkaConsumer(
            self._topic, bootstrap_servers=self._bootstrap, enable_auto_commit=False, fetch_max_wait_ms=100
        )
        await self._consumer.start()
        await self._consumer.seek_to_end()
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop reading."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    async def _read(self) -> None:
        while True:
            try:
                batch = await self._consumer.getmany(timeout_ms=500)
            except KafkaError:
                await asyncio.sleep(0.5)  # the broker is one of those we kill
                continue
            for records in batch.values():
                for record in records:
                    self._take(record.headers, record.value)

    def _take(self, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> None:
        try:
            said = spoken(headers, value or b"")
        except Undecodable:
            self.undecodable += 1
            return
        self.records.append(said)
        for call in self.calls:
            call(said)
