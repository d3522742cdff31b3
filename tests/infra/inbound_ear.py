"""Listening to what ingest says, as another team's consumer would: mails, quarantines, resets, the channels' states."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from contracts.topics import CHANNEL_STATUS, INBOUND

MAILS = ("MessageReceived", "AutoReplyReceived", "BounceReceived", "MessageQuarantined")


@dataclass(frozen=True, slots=True)
class Heard:
    """One record: ``at`` by this process's clock when it arrived here; ``data`` as it stands in the event."""

    at: float
    kind: str
    event_id: str
    data: dict[str, Any] = field(repr=False)

    @property
    def channel_id(self) -> str:
        """Whose it is."""
        return str(self.data["channel_id"])

    @property
    def place(self) -> tuple[str, int, int]:
        """Channel, UIDVALIDITY, UID."""
        place = self.data["place"]
        return self.channel_id, int(place["uidvalidity"]), int(place["uid"])


class Ear:
    """Reads every partition from where it stood; ``mails`` and ``resets`` in the order they came.

    ``states`` holds the last IMAP state of each channel, ``calls`` are called with every mail, ``turns`` with every
    change of state.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.mails: list[Heard] = []
        self.resets: list[Heard] = []
        self.states: dict[str, tuple[str, str, float]] = {}
        self.seen: dict[str, int] = defaultdict(int)
        self.calls: list[Callable[[Heard], None]] = []
        self.turns: list[Callable[[str, str], None]] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Find the ends of all partitions and begin to read behind them."""
        self._consumer = AIOKafkaConsumer(
            INBOUND.name, CHANNEL_STATUS.name, bootstrap_servers=self._bootstrap, enable_auto_commit=False,
            fetch_max_wait_ms=200, max_partition_fetch_bytes=4 << 20,
        )  # fmt: skip
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

    async def until(self, done: Callable[[], bool], within_s: float) -> bool:
        """Wait until that is so; False when the time is up."""
        limit = time.monotonic() + within_s
        while not done():
            left = limit - time.monotonic()
            if left <= 0:
                return False
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), min(left, 1.0))
            except TimeoutError:
                continue
        return True

    async def connected(self, channel_ids: Iterable[str], within_s: float) -> bool:
        """Wait until all of these say connected."""
        wanted = list(channel_ids)
        return await self.until(lambda: all(self.state(each) == "connected" for each in wanted), within_s)

    def state(self, channel_id: str) -> str:
        """The last state heard of."""
        return self.states.get(channel_id, ("", "", 0.0))[0]

    async def _read(self) -> None:
        while True:
            try:
                batch = await self._consumer.getmany(timeout_ms=500)
            except KafkaError:
                await asyncio.sleep(0.5)
                continue
            now = time.time()
            for records in batch.values():
                for record in records:
                    if record.value is not None:
                        self._take(now, dict(record.headers), json.loads(record.value))
            self._news.set()

    def _take(self, now: float, headers: dict[str, bytes], data: dict[str, Any]) -> None:
        kind = headers["ce_type"].decode().rpartition(".")[2]
        heard = Heard(now, kind, headers["ce_id"].decode(), data)
        if kind in MAILS:
            self.mails.append(heard)
            self.seen[data["message_id"]] += 1
            for call in self.calls:
                call(heard)
        elif kind == "MailboxReset":
            self.resets.append(heard)
        elif data.get("direction") == "imap":
            self.states[data["channel_id"]] = (data["state"], data["reason"], now)
            for turn in self.turns:
                turn(data["channel_id"], data["state"])
