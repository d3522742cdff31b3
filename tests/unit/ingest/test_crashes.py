"""A crash at every step, and an owner that stood still and comes back: nothing is lost, no mail has two identities."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes.ingest_mailbox import mail
from tests.unit.ingest.world import KEY, Process, World

LAST_STEP = 64


async def connected(world: World) -> None:
    """The mailbox was watched once, so that what comes from now on is to be announced."""
    first = Process(world).start()
    await first.until(lambda: bool(world.statuses.states()) and world.statuses.states()[-1].startswith("connected"))
    await first.kill()


def settled(world: World) -> bool:
    """Whether the cursor stands behind the last mail and no renumbering is open."""
    cursor = world.cursors.cursors[KEY]
    return cursor.last_uid >= world.server.uidnext - 1 and cursor.renumbered is None


def arrive(world: World) -> None:
    """Five mails, two of them with the same bytes, one that cannot be read, one too large for memory."""
    world.server.add(mail("one"))
    world.server.add(mail("two", "In-Reply-To: <one@far.test>"))
    world.server.add(mail("two", "In-Reply-To: <one@far.test>"))
    world.server.add(mail("three", body="unparsable"))
    world.server.add(mail("large", body="attached:" + "x" * 1_100_000))


def check(world: World) -> None:
    """Each content was told, under one identity."""
    contents = {octets for octets, _ in world.server.mails.values()}
    identities = world.identities()
    assert len(identities) == len(contents) == len({sha256 for sha256, _ in identities})
    assert len({message_id for _, message_id in identities}) == len(contents)


def nothing(world: World) -> None:
    """Nothing happens between the two owners."""


def renumbered(world: World) -> None:
    """The server numbers anew between the two owners."""
    world.server.renumber((world.server.uidvalidity or 0) + 1)


@pytest.mark.parametrize("between", [nothing, renumbered])
async def test_a_crash_anywhere_loses_and_doubles_nothing(between: Callable[[World], None]) -> None:
    reached = 0
    for step in range(1, LAST_STEP):
        world = World()
        await connected(world)
        arrive(world)
        first = Process(world, stop_at=step).start()
        await first.until(lambda at=first, w=world: at.gate.stopped.is_set() or settled(w))  # type: ignore[misc]
        reached += first.gate.stopped.is_set()
        await first.kill()
        between(world)
        second = Process(world).start()
        await second.until(lambda w=world: settled(w))  # type: ignore[misc]
        await second.kill()
        check(world)
    assert reached > 15, "the steps of a slice were stopped at"


@pytest.mark.parametrize("between", [nothing, renumbered])
async def test_an_owner_that_stood_still_does_no_harm(between: Callable[[World], None]) -> None:
    for step in range(1, LAST_STEP):
        world = World()
        await connected(world)
        arrive(world)
        first = Process(world, stop_at=step).start()
        await first.until(lambda at=first, w=world: at.gate.stopped.is_set() or settled(w))  # type: ignore[misc]
        between(world)
        second = Process(world).start()
        await second.until(lambda w=world: settled(w))  # type: ignore[misc]
        world.server.add(mail("four"))
        await second.until(lambda w=world: settled(w))  # type: ignore[misc]
        if first.gate.stopped.is_set():
            first.gate.stopped.clear()
            first.gate.go_on.set()
            assert first.task is not None
            async with asyncio.timeout(5):
                await (first.task if step > 2 else asyncio.sleep(0.05))
        await second.kill()
        await first.kill()
        check(world)


async def test_the_loser_closes_its_connection_and_ends() -> None:
    world = World()
    await connected(world)
    first = Process(world).start()
    await first.until(lambda: len(world.server.sessions) == 1)
    before = world.server.sessions[0]
    await world.cursors.claim(KEY, "somebody else")
    world.server.add(mail("one"))
    assert first.task is not None
    async with asyncio.timeout(5):
        await first.task
    assert before.closed
    assert world.mails == []
