"""Slices: large mails in parts, too large ones, those without a body, those gone; the byte budget is given back."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest

from contracts.limits import INBOUND_SIZE
from services.ingest.adapters.budgets import Limits, Octets, ReplicaBudgets
from services.ingest.domain.reading import Reading, Track
from services.ingest.domain.session import HEAD_OCTETS
from services.ingest.handlers import read_parts
from tests.fakes.clock import FakeClock
from tests.fakes.ingest_mailbox import mail
from tests.unit.ingest.world import ACCOUNT, KEY, TENANT, Process, World


async def taken(world: World, limits: Limits | None = None) -> None:
    """Everything above an empty beginning is taken."""
    world.cursors.cursors[KEY] = (await world.cursors.claim(KEY, "x")).__class__(1, uidvalidity=1)
    process = Process(world, limits=limits).start()
    await process.until(lambda: world.cursors.cursors[KEY].last_uid == world.server.uidnext - 1)
    await process.kill()


@pytest.mark.parametrize("size", [HEAD_OCTETS - 1, HEAD_OCTETS, HEAD_OCTETS + 1, 2 * HEAD_OCTETS, 700_000])
async def test_a_large_mail_is_read_in_parts_and_whole(size: int) -> None:
    world = World()
    octets = mail("big", body="")
    world.server.add(mail("before"))
    world.server.add(octets + b"x" * (size - len(octets)))
    world.server.add(mail("after"))
    await taken(world)
    assert world.subjects() == ["before", "big", "after"]
    big = world.mails[1]
    assert len(world.raw.kept[f"{TENANT}/{big.raw.blob_id}"].octets) == big.size == size


@pytest.mark.parametrize("size", [read_parts.HERE_OCTETS + 1, 2_500_000])
async def test_a_very_large_mail_and_what_is_attached_never_stay_in_this_process(size: int) -> None:
    world = World()
    octets = mail("big", body="attached:")
    octets += b"x" * (size - len(octets))
    world.server.add(mail("before"))
    world.server.add(octets)
    await taken(world)
    big = world.mails[1]
    raw, part = world.raw.kept[f"{TENANT}/{big.raw.blob_id}"], big.attachments[0].blob
    assert (raw.octets, raw.held and world.raw.holding[raw.held.blob_id]) == (b"", octets)
    assert (big.size, big.sha256) == (size, hashlib.sha256(octets).hexdigest())
    attached = world.raw.kept[f"{TENANT}/{part.blob_id}"]
    content = octets.partition(b"attached:")[2]
    assert attached.held is not None
    assert (part.size, part.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert world.raw.holding[attached.held.blob_id] == content


async def test_what_was_held_for_too_long_is_fetched_again() -> None:
    world = World()
    world.raw.swept = 1
    world.cursors.cursors[KEY] = (await world.cursors.claim(KEY, "x")).__class__(1, uidvalidity=1)
    world.server.add(mail("big", body="x" * 1_200_000))
    process = Process(world).start()
    await process.until(lambda: process.task is not None and process.task.done())
    await process.kill()
    assert (world.mails, world.cursors.cursors[KEY].last_uid) == ([], 0), "the watch ended, the mailbox is as it was"
    await taken(world)
    assert world.subjects() == ["big"]


async def test_a_very_large_one_above_the_limit_is_set_aside_and_nothing_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_parts, "INBOUND_SIZE", 2_000_000)
    world = World()
    world.server.claims[world.server.add(mail("huge", body="x" * 2_600_000))] = 1_500_000
    world.server.add(mail("after"))
    await taken(world)
    aside, after = world.mails
    assert (aside.reason, aside.raw, after.subject) == ("too_large", None, "after")
    assert world.raw.holding == {}


async def test_a_mail_above_the_limit_is_set_aside_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_parts, "INBOUND_SIZE", 500_000)
    world = World()
    world.server.add(mail("huge", body="x" * 600_000))
    world.server.add(mail("after"))
    await taken(world)
    aside, after = world.mails
    assert (aside.reason, aside.raw, after.subject) == ("too_large", None, "after")
    assert aside.size > 500_000
    assert INBOUND_SIZE > 500_000


async def test_a_mail_without_a_body_is_asked_for_again_and_then_set_aside() -> None:
    world = World()
    world.server.add(mail("ghost"))
    world.server.add(mail("after"))
    world.server.broken.add(1)
    await taken(world)
    ghost, after = world.mails
    assert (ghost.reason, ghost.raw, after.subject) == ("not_fetchable", None, "after")
    assert world.server.fetched.count(1) == 1 + read_parts.TRIES


async def test_many_mails_come_in_slices_and_few_octets_at_once() -> None:
    world = World()
    for n in range(450):
        world.server.add(mail(f"m{n}"))
    await taken(world, Limits(octets=100_000))
    assert sorted(world.subjects()) == sorted(f"m{n}" for n in range(450))


async def test_octets_are_dealt_out_in_order_and_come_back() -> None:
    octets, order = Octets(100), []

    async def take(name: str, wanted: int) -> None:
        held = await octets.hold(wanted)
        order.append(name)
        await asyncio.sleep(0.001)
        octets.release(held)

    await asyncio.gather(*(take(name, wanted) for name, wanted in (("a", 60), ("b", 60), ("c", 10), ("d", 500))))
    assert order == ["a", "b", "c", "d"]
    assert await octets.hold(100) == 100


async def test_who_gives_up_waiting_for_octets_leaves_none_held() -> None:
    octets = Octets(100)
    held = await octets.hold(100)
    waiting = asyncio.create_task(octets.hold(50))
    await asyncio.sleep(0)
    waiting.cancel()
    octets.release(held)
    await asyncio.sleep(0)
    assert await octets.hold(100) == 100


async def test_logins_at_a_host_keep_their_rate() -> None:
    clock = FakeClock()
    budgets = ReplicaBudgets(clock, Limits(logins_s=10, logins=2))
    for _ in range(11):
        async with budgets.login("one.test"):
            pass
    assert clock.monotonic() == pytest.approx(1.0)
    async with budgets.login("two.test"):
        assert clock.monotonic() == pytest.approx(1.0)


def test_second_looks_are_rationed_by_host() -> None:
    budgets = ReplicaBudgets(FakeClock(), Limits(near_s=0.1, looks_near_s=10))
    waits = [budgets.recheck("one.test", near=True) for _ in range(20)]
    assert waits[0] == pytest.approx(0.1)
    assert waits[5] == pytest.approx(0.5)
    assert waits[-1] is None


def test_a_slice_is_as_wide_as_its_mails_are_small() -> None:
    reading = Reading(Track(0))
    reading.note([200_000] * 10)
    limit, octets = reading.expectation()
    assert limit < 60
    assert octets <= HEAD_OCTETS * 200
    for _ in range(10):
        reading.note([1700] * 200)
    assert reading.expectation()[0] == 200


async def test_above_a_host_s_limit_mailboxes_take_turns() -> None:
    world = World()
    process = Process(world, limits=Limits(connections=1, turn_s=10)).start()
    other = process.also(replace(ACCOUNT, channel_id=TENANT))
    most = 0
    for _ in range(40):
        world.clock.advance(3)
        await asyncio.sleep(0.005)
        most = max(most, len(world.server.sessions))
    states = [status.state for status in world.statuses.statuses.values()]
    assert (most, states) == (1, ["connected", "connected"])
    assert world.server.opened >= 4
    other.cancel()
    await process.kill()
