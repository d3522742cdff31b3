"""Cancels sent straight to Kafka, as the gateway would, and as a program of another tenant might."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from contracts.cloudevents import encode
from contracts.event import event
from contracts.message import CancelRequested
from services.kit.ids import uuid7
from tests.chaos.history import Wish


class Cancels:
    """A producer of `CancelRequested`."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0)

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is left and close."""
        await self._producer.stop()

    async def fire(self, tenant: str, message_id: str, shape: str = "race", *, foreign: bool = False) -> Wish:
        """One cancel, acknowledged by the broker."""
        cancel_id, now = str(uuid7()), datetime.now(UTC)
        wish = Wish(cancel_id, tenant, message_id, "kafka", time.time(), cancel_id, foreign, shape)
        wanted = CancelRequested(message_id=message_id, cancel_id=cancel_id, requested_by="chaos", requested_at=now)
        record = encode(event(tenant, wanted, at=now, source="gateway"))
        await self._producer.send_and_wait(record.topic, record.value, record.key, headers=record.headers)
        return wish
