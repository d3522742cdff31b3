"""A batch: order by key, concurrency across keys, and handlers that leave something to be waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from contracts.cloudevents import encode
from contracts.event import Event, event
from contracts.message import CancelRequested
from services.kit.dispatch import Dispatch, Record
from services.kit.ids import uuid7
from services.kit.unavailable import Unavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, OTHER = str(uuid7()), str(uuid7())


@dataclass
class Arrived:
    """A record."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    offset: int = 0
    partition: int = 0


@dataclass
class FakeDeadLetters:
    """See Dispatch."""

    buried: list[tuple[str, int]] = field(default_factory=list)

    async def bury(self, record: Record, error: str, attempts: int) -> None:
        self.buried.append((error, attempts))


def wish(by: str, message_id: str = ONE) -> Arrived:
    """A wish to cancel."""
    data = CancelRequested(message_id=message_id, cancel_id=str(uuid7()), requested_by=by, requested_at=NOW)
    made = encode(event("acme", data, at=NOW, source="gateway"))
    return Arrived(made.topic, made.key, made.value, made.headers)


class Desk:
    """Notes who began and who ended; ``failing`` ends in that error."""

    def __init__(self, **failing: Exception) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.open = asyncio.Event()
        self.failing = failing
        self.letters = FakeDeadLetters()

    async def begin(self, got: Event[CancelRequested]) -> Awaitable[None]:
        self.began.append(got.data.requested_by)
        return asyncio.create_task(self._end(got.data.requested_by))

    async def _end(self, by: str) -> None:
        await self.open.wait()
        if by in self.failing:
            raise self.failing[by]
        self.ended.append(by)

    def batch(self, *records: Arrived) -> asyncio.Task[None]:
        return asyncio.create_task(Dispatch({CancelRequested: self.begin}, self.letters, pause_s=0).batch(records))


async def test_the_next_of_a_key_begins_before_the_last_has_ended_and_the_batch_ends_after_all() -> None:
    desk = Desk()
    batch = desk.batch(wish("a"), wish("x", OTHER), wish("b"), wish("c"))
    await asyncio.sleep(0.01)
    assert [one for one in desk.began if one != "x"] == ["a", "b", "c"]
    assert "x" in desk.began
    assert (desk.ended, batch.done()) == ([], False)
    desk.open.set()
    await batch
    assert sorted(desk.ended) == ["a", "b", "c", "x"]


async def test_what_cannot_be_ended_now_brings_the_batch_again_when_all_have_ended() -> None:
    desk = Desk(a=Unavailable("no Kafka"))
    batch = desk.batch(wish("a"), wish("b"))
    desk.open.set()
    with pytest.raises(Unavailable):
        await batch
    assert (desk.ended, desk.letters.buried) == (["b"], [])


async def test_what_fails_at_its_end_is_set_aside_and_the_rest_goes_on() -> None:
    desk = Desk(a=KeyError("bug"))
    batch = desk.batch(wish("a"), wish("b"))
    desk.open.set()
    await batch
    assert (desk.ended, desk.letters.buried) == (["b"], [("KeyError", 1)])
