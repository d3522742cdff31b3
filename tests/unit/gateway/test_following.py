"""A page follows its tenant's changes: what it is told, when it ends, and what the feed remembers for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contracts.threading import Keyring
from services.gateway.adapters.change_feed import MOST_OF_ONE, ChangeFeed
from services.gateway.adapters.change_ids import ChangeIds
from services.gateway.adapters.change_stream import Batch, Lost
from services.gateway.adapters.followers import MOST, Waiting
from services.gateway.adapters.rest_events import Events, spoken
from services.gateway.domain.change import Beat, Change, Ended, Reset, Signal, Thing
from services.gateway.domain.refusal import Refused
from services.gateway.handlers.follow_changes import FollowChanges
from tests.unit.gateway.test_rest import problem
from tests.unit.gateway.world import OTHER, TENANT, Http, World, ana, token, world

IDS = ChangeIds(Keyring("k2", {"k1": b"1" * 32, "k2": b"2" * 32}))
NOW = 5_000_000 << 20
LONG_AGO = -(60 << 20)


def change(n: int, tenant: str = TENANT, thing: str = "m", **changes: Any) -> Change:
    return replace(Change(tenant, Thing.MESSAGE, thing, NOW + n, conversation_id="c"), **changes)


@dataclass
class FakeSource:
    """A database whose changes a test hands out."""

    batches: asyncio.Queue[Batch | Exception] = field(default_factory=asyncio.Queue)
    reads: list[tuple[int, Any]] = field(default_factory=list)

    async def now(self) -> int:
        """See the protocol."""
        return NOW

    async def read(self, since: int, token: Any) -> AsyncIterator[Batch]:
        """See the protocol."""
        self.reads.append((since, token))
        while True:
            found = await self.batches.get()
            if isinstance(found, Exception):
                raise found
            yield found

    async def conversations_of(self, changes: Sequence[Change]) -> Sequence[Change]:
        """See the protocol."""
        return [replace(one, conversation_id=one.conversation_id or "found") for one in changes]

    def tell(self, *changes: Change, caught_up: bool = True) -> None:
        """One batch."""
        self.batches.put_nowait(Batch(changes, caught_up, {"_data": "t"}))


@dataclass
class Running:
    """A feed that turns."""

    source: FakeSource
    feed: ChangeFeed
    woken: list[Change]
    closing: list[bool]

    def follow(self, after: str | None = None, tenant: str = TENANT) -> Waiting:
        """One more reader."""
        made = self.feed.follow(tenant, after)
        assert isinstance(made, Waiting)
        return made


@pytest.fixture
async def feed() -> AsyncIterator[Running]:
    woken: list[Change] = []
    source, closing = FakeSource(), [False]
    made = ChangeFeed(source, IDS, woken.append, lambda: closing[0])
    turning = asyncio.create_task(made.run())
    yield Running(source, made, woken, closing)
    turning.cancel()
    await asyncio.gather(turning, return_exceptions=True)


async def heard(reader: Waiting, seconds: float = 1) -> list[Signal]:
    return list(await reader.next(seconds))


async def test_a_new_reader_learns_where_it_stands_and_then_what_changes(feed: Running) -> None:
    mine, theirs = feed.follow(), feed.follow(tenant=OTHER)
    feed.source.tell(change(LONG_AGO))
    (beat,) = await heard(mine)
    assert isinstance(beat, Beat)
    assert IDS.read(TENANT, beat.position) == NOW + LONG_AGO
    feed.source.tell(change(2, conversation_id=None), change(3, kind=Thing.REQUEST))
    (told,) = await heard(mine)
    assert isinstance(told, Change)
    assert (told.id, told.version, told.conversation_id) == ("m", NOW + 2, "found")
    assert IDS.read(TENANT, told.position) == NOW + 2
    assert all(isinstance(one, Beat) for one in await heard(theirs, 0.01))
    assert [one.version - NOW for one in feed.woken] == [LONG_AGO, 2, 3]
    assert feed.source.reads[0] == (NOW - (120 << 20), None)


async def test_who_comes_back_gets_what_it_missed(feed: Running) -> None:
    reader = feed.follow(IDS.make(TENANT, NOW - 5))
    feed.source.tell(change(-9, thing="seen"), change(1), change(2, OTHER), change(3, thing="n"), caught_up=False)
    feed.source.tell()
    assert [one.id for one in await heard(reader) if isinstance(one, Change)] == ["m", "n"]
    again = feed.follow(IDS.make(TENANT, NOW + 1))
    assert [one.id for one in await heard(again) if isinstance(one, Change)] == ["n"]


@pytest.mark.parametrize(
    "after", ["", "x", "1.AAAAAAAAAAAAAAAA", IDS.make(OTHER, NOW), IDS.make(TENANT, NOW - (200 << 20))]
)
async def test_an_unknown_or_old_id_is_a_reset(feed: Running, after: str) -> None:
    reader = feed.follow(after)
    feed.source.tell(change(1))
    (reset,) = await heard(reader)
    assert isinstance(reset, Reset)
    assert IDS.read(TENANT, reset.position) == NOW + 1


def test_an_id_of_an_older_key_still_counts() -> None:
    old = ChangeIds(Keyring("k1", {"k1": b"1" * 32}))
    assert IDS.read(TENANT, old.make(TENANT, 7)) == 7
    assert old.read(TENANT, IDS.make(TENANT, 7)) is None


async def test_a_thing_that_changes_often_is_told_once(feed: Running) -> None:
    reader = feed.follow()
    feed.source.tell()
    await heard(reader)
    feed.source.tell(change(1), change(2, thing="n"), change(3))
    told = [(one.id, one.version - NOW) for one in await heard(reader) if isinstance(one, Change)]
    assert told == [("n", 2), ("m", 3)]


async def test_a_reader_who_does_not_keep_up_is_let_go_with_a_reset(feed: Running) -> None:
    reader, quick = feed.follow(), feed.follow()
    feed.source.tell()
    await heard(reader), await heard(quick)
    feed.source.tell(*(change(n, thing=str(n)) for n in range(MOST)))
    assert len(await heard(quick)) == MOST
    feed.source.tell(*(change(MOST + n, thing=f"x{n}") for n in range(3)))
    assert len(await heard(quick)) == 3
    reset, ended = await heard(reader)
    assert isinstance(reset, Reset)
    assert ended == Ended("too_slow")


async def test_a_stream_that_cannot_be_continued_resets_everybody(feed: Running) -> None:
    reader = feed.follow()
    feed.source.tell(change(1))
    await heard(reader)
    feed.source.batches.put_nowait(Lost())
    assert isinstance((await heard(reader))[0], Reset)
    feed.source.tell(change(2))
    assert isinstance((await heard(reader))[0], Change)
    assert feed.source.reads[-1] == (NOW + 1, None)


async def test_no_beat_while_nothing_can_be_heard(feed: Running) -> None:
    reader = feed.follow()
    assert await heard(reader, 0.05) == []


async def test_pages_end_when_the_process_drains_and_nobody_new_comes(feed: Running) -> None:
    reader = feed.follow()
    feed.source.tell()
    await heard(reader)
    feed.closing[0] = True
    feed.source.tell()
    assert (await heard(reader))[-1] == Ended("closing")
    assert isinstance(feed.feed.follow(TENANT, None), Ended)


async def test_one_tenant_leaves_room_for_the_others(feed: Running) -> None:
    held = [feed.follow() for _ in range(MOST_OF_ONE)]
    assert feed.feed.follow(TENANT, None) == Ended("full")
    assert isinstance(feed.feed.follow(OTHER, None), Waiting)
    assert len(held) == MOST_OF_ONE


async def test_a_reader_nobody_holds_is_forgotten(feed: Running) -> None:
    reader = feed.follow()
    feed.source.tell()
    await heard(reader)
    assert feed.feed.readers == 1
    del reader
    assert feed.feed.readers == 0


@pytest.fixture
async def here() -> World:
    return await world()


async def test_the_end_of_the_token_ends_the_stream(here: World) -> None:
    who = replace(ana(), expires_at=here.clock.now().timestamp() + 30)
    use = FollowChanges(here.changes, here.clock, beat_s=0.01)
    signals = await use.handle(who, "1.x")
    assert not isinstance(signals, Refused)
    assert isinstance(await anext(signals), Beat)
    ((tenant, after, follower),) = here.changes.followers
    assert (tenant, after) == (TENANT, "1.x")
    here.clock.advance(31)
    assert await anext(signals) == Ended("token_expired")
    with pytest.raises(StopAsyncIteration):
        await anext(signals)
    assert follower.closed


async def test_too_many_pages_are_told_to_come_again(here: World) -> None:
    here.changes.most = 0
    answer = await Http(here).call("GET", "/v1/events")
    problem(answer, 429, "rate_limited")
    assert answer.headers["retry-after"]
    none = await Http(here).call("GET", "/v1/events", headers={"Authorization": f"Bearer {token('messages:send')}"})
    problem(none, 403, "forbidden")


async def test_events_over_http(here: World) -> None:
    http = Http(here)

    async def tell() -> None:
        while not here.changes.followers:
            await asyncio.sleep(0)
        _, after, follower = here.changes.followers[0]
        assert after == "5.x"
        for signal in (Reset("7.r"), change(1, position="8.c"), Ended("closing")):
            follower.queue.put_nowait(signal)

    telling = asyncio.create_task(tell())
    answer = await http.call("GET", "/v1/events", headers={"Last-Event-ID": "5.x"})
    await telling
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    retry, reset, told, ended = answer.text.strip().split("\n\n")
    assert retry == "retry: 1000"
    assert reset.startswith("id: 7.r\nevent: reset\ndata: {")
    assert told.startswith(
        f'id: 8.c\nevent: change\ndata: {{"kind":"message","id":"m","conversation_id":"c","version":{NOW + 1},"now":"'
    )
    assert ended.startswith('event: end\ndata: {"reason":"closing"')
    assert here.changes.followers[0][2].closed
    assert spoken(Beat("9.b")) == ": beat\nid: 9.b\n\n"


async def test_a_reader_whose_socket_is_stuck_or_gone_is_let_go() -> None:
    closed: list[str] = []

    async def signals(name: str) -> AsyncIterator[Signal]:
        try:
            while True:
                yield Beat("1.b")
                await asyncio.sleep(0)
        finally:
            closed.append(name)

    async def stuck(_: Any) -> None:
        if len(sent) > 3:
            await asyncio.sleep(60)
        sent.append(1)

    async def stays() -> Any:
        await asyncio.sleep(60)

    async def leaves() -> Any:
        return {"type": "http.disconnect"}

    async def takes(_: Any) -> None:
        await asyncio.sleep(0)

    sent: list[int] = []
    began = time.monotonic()
    await Events(signals("stuck"), 0.05)({"type": "http"}, stays, stuck)
    await Events(signals("gone"), 0.05)({"type": "http"}, leaves, takes)
    assert closed[0] == "stuck"
    assert time.monotonic() - began < 5


async def test_who_waits_for_the_stream_is_told_what_changed_while_it_caught_up(feed: Running) -> None:
    """Who reads everything when it begins to follow may read it before the change, and hear of it from nobody else."""
    reader = feed.follow()
    feed.source.tell(change(LONG_AGO, thing="long ago"), change(1, thing="meanwhile"), caught_up=False)
    feed.source.tell()
    assert [one.id for one in await heard(reader) if isinstance(one, Change)] == ["meanwhile"]
