"""UIDVALIDITY: changed, changed again, come back, none, UIDs from the beginning."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.ingest_mailbox import BORN, mail
from tests.unit.ingest.world import KEY, Process, World


async def watched(world: World) -> Process:
    """A process that has completed a cycle."""
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"] and len(world.server.sessions) == 1)
    return process


def reset(world: World, times: int) -> bool:
    """So many renumberings were gone through."""
    return len(world.resets) == times and world.cursors.cursors[KEY].renumbered is None


def renumbering(world: World) -> bool:
    """One is open."""
    return world.cursors.cursors[KEY].renumbered is not None


async def test_only_what_is_new_is_announced_and_one_reset() -> None:
    world = World()
    world.server.add(mail("history"), at=BORN - timedelta(days=1))
    process = await watched(world)
    for subject in "ab":
        world.server.add(mail(subject))
    await process.until(lambda: len(world.mails) == 2)
    world.server.fetched.clear()
    world.server.renumber(7)
    world.server.add(mail("c"))
    await process.until(lambda: reset(world, 1) and world.subjects() == ["a", "b", "c"])
    await process.kill()
    (told,) = world.resets
    assert (told.old_uidvalidity, told.new_uidvalidity, told.matched) == (1, 7, 2)
    assert 1 not in world.server.fetched, "what is older than the watch is passed over unread"
    assert [each.place.uidvalidity for each in world.mails] == [1, 1, 7]


async def test_an_empty_mailbox_is_reset_at_once() -> None:
    world = World()
    process = await watched(world)
    world.server.renumber(3)
    await process.until(lambda: reset(world, 1))
    await process.kill()
    assert world.resets[0].matched == 0


async def test_an_old_uidvalidity_that_comes_back_gives_no_old_identity() -> None:
    world = World()
    process = await watched(world)
    world.server.add(mail("a"))
    await process.until(lambda: len(world.mails) == 1)
    for uidvalidity, subject in ((2, "b"), (1, "c")):
        world.server.mails.clear()
        world.server.renumber(uidvalidity)
        world.server.add(mail(subject))
        await process.until(lambda s=subject: world.subjects()[-1:] == [s])  # type: ignore[misc]
    await process.kill()
    assert len({each.message_id for each in world.mails}) == 3


async def test_uids_from_the_beginning_are_another_numbering_whatever_the_server_says() -> None:
    world = World()
    process = await watched(world)
    for subject in "abc":
        world.server.add(mail(subject))
    await process.until(lambda: len(world.mails) == 3)
    world.server.mails.clear()
    world.server.renumber(1)
    world.server.add(mail("d"))
    await process.until(lambda: world.subjects() == ["a", "b", "c", "d"])
    await process.kill()


async def test_without_a_uidvalidity_it_stops_and_asks_again() -> None:
    world = World()
    world.server.uidvalidity = 0
    process = Process(world).start()
    await process.until(lambda: world.server.opened >= 3)
    assert world.cursors.cursors[KEY].uidvalidity is None
    assert world.statuses.statuses[KEY].state == "unreachable"
    assert world.statuses.statuses[KEY].reason == "protocol_error"
    world.server.uidvalidity = 5
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    await process.kill()


async def test_a_renumbering_in_the_middle_of_a_renumbering() -> None:
    world = World()
    process = await watched(world)
    for n in range(5):
        world.server.add(mail(f"m{n}"))
    await process.until(lambda: len(world.mails) == 5)
    await process.kill()
    for stop_at in range(3, 30, 3):
        world.server.renumber((world.server.uidvalidity or 0) + 1)
        process = Process(world, stop_at=stop_at).start()
        await process.until(lambda at=process: at.gate.stopped.is_set() or not renumbering(world))  # type: ignore[misc]
        await process.kill()
    process = Process(world).start()
    world.server.add(mail("last"))
    await process.until(lambda: "last" in world.subjects())
    await process.kill()
    assert len(world.identities()) == 6
