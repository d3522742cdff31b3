"""The relay's memory: what it has in hand, has said and was told is taken off, on a store and a Kafka in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from contracts.event import AnyEvent, event
from contracts.operator import OperatorChanged
from services.kit import relay as relaying
from services.kit.owed import Owing
from services.kit.relay import Relay
from services.kit.unavailable import Unavailable
from tests.fakes.publisher import FakePublisher

TENANT, OPERATOR = str(uuid4()), str(uuid4())
DOC = f"{TENANT}/{OPERATOR}"


@dataclass
class FakeOwed:
    """Documents that owe; ``pulls`` is what was asked to be removed; the next ``failures`` are not answered."""

    documents: dict[str, list[AnyEvent]] = field(default_factory=dict)
    pulls: list[list[str]] = field(default_factory=list)
    failures: int = 0

    async def owing(self, limit: int) -> Sequence[Owing]:
        """See OwedStore."""
        return [Owing(doc_id, tuple(events)) for doc_id, events in self.documents.items() if events][:limit]

    async def paid(self, doc_id: str, ids: Sequence[str]) -> None:
        """See OwedStore."""
        self.pulls.append([*ids])
        if self.failures:
            self.failures -= 1
            raise Unavailable("told to fail")
        self.documents[doc_id] = [each for each in self.documents.get(doc_id, ()) if each.id not in ids]


@dataclass
class SlowPublisher(FakePublisher):
    """Acknowledges when ``answer`` is set."""

    answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish_each(self, events: Sequence[AnyEvent]) -> Sequence[Unavailable | None]:
        """As the fake, later."""
        await self.answer.wait()
        return await super().publish_each(events)


def changed(version: int) -> AnyEvent:
    data = OperatorChanged(operator_id=OPERATOR, name="Ana", version=version)
    return event(TENANT, data, at=datetime.now(UTC), source="gateway")


def versions(publisher: FakePublisher) -> list[int]:
    return [each.data.version for each in publisher.published]


async def test_what_is_on_its_way_is_not_sent_again() -> None:
    publisher = SlowPublisher()
    relay = Relay(FakeOwed(), publisher)
    relay.hand_over(DOC, [changed(1)])
    await asyncio.sleep(0.02)
    relay.hand_over(DOC, [changed(1), changed(2)])
    publisher.answer.set()
    await relay.drain()
    assert versions(publisher) == [1, 2]


async def test_a_sweep_leaves_alone_what_is_in_hand_or_said() -> None:
    store, publisher = FakeOwed({DOC: [changed(1)]}), SlowPublisher()
    relay = Relay(store, publisher)
    relay.hand_over(DOC, store.documents[DOC])
    assert await relay.sweep() == 0
    publisher.answer.set()
    await asyncio.sleep(0.05)
    assert relay.spoken(DOC) == (changed(1).id,)
    assert await relay.sweep() == 0
    assert versions(publisher) == [1]


async def test_after_a_failure_everything_waits_for_the_sweep() -> None:
    store, publisher = FakeOwed({DOC: [changed(1), changed(2)]}), FakePublisher(failures=1)
    relay = Relay(store, publisher)
    relay.hand_over(DOC, [changed(1)])
    await relay.drain()
    relay.hand_over(DOC, [changed(2)])
    await relay.drain()
    assert versions(publisher) == []
    await relay.sweep()
    assert versions(publisher) == [1, 2]


async def test_what_a_write_took_off_is_not_pulled() -> None:
    store = FakeOwed()
    relay = Relay(store, FakePublisher())
    relay.hand_over(DOC, [changed(1)])
    await asyncio.sleep(0.02)
    relay.hand_over(DOC, [changed(2)], relay.spoken(DOC))
    await relay.drain()
    assert store.pulls == [[changed(2).id]]


async def test_a_pull_that_was_not_answered_is_repeated_and_nothing_published_meanwhile() -> None:
    store, publisher = FakeOwed({DOC: [changed(1)]}, failures=1), FakePublisher()
    relay = Relay(store, publisher)
    relay.hand_over(DOC, store.documents[DOC])
    await relay.drain()
    assert relay.spoken(DOC) == (changed(1).id,)
    assert await relay.sweep() == 0
    await relay.drain()
    assert store.documents == {DOC: []}
    assert versions(publisher) == [1]


async def test_what_was_said_is_pulled_when_it_has_stood_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "PAY_EVERY_S", 0.05)
    store = FakeOwed()
    relay = Relay(store, FakePublisher())
    relay.hand_over(DOC, [changed(1)])
    for _ in range(100):
        if store.pulls:
            break
        await asyncio.sleep(0.02)
    assert store.pulls == [[changed(1).id]]
    assert relay.spoken(DOC) == ()


async def test_too_much_is_left_to_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "IN_HAND", 1)
    publisher = FakePublisher()
    relay = Relay(FakeOwed({"t/other": [changed(2)]}), publisher)
    relay.hand_over(DOC, [changed(1)])
    relay.hand_over("t/other", [changed(2)])
    await relay.drain()
    assert versions(publisher) == [1]
    await relay.sweep()
    assert versions(publisher) == [1, 2]
