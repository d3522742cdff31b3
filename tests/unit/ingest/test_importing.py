"""History is imported where it is asked for: little by little, so old and no older, once, while new mails go first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.ingest.handlers import fetch_slices
from tests.fakes.ingest_mailbox import mail
from tests.unit.ingest.world import ACCOUNT, KEY, Process, World

IMPORTING = replace(ACCOUNT, import_days=10)


def with_history(number: int = 5, *, ancient: int = 3) -> World:
    """A mailbox with some mails of last week and some that are older."""
    world = World()
    for n in range(ancient):
        world.server.add(mail(f"ancient{n}"), at=world.clock.now() - timedelta(days=30))
    for n in range(number):
        world.server.add(mail(f"old{n}"), at=world.clock.now() - timedelta(days=5))
    return world


def imported(world: World) -> bool:
    """Whether all is done."""
    cursor = world.cursors.cursors.get(KEY)
    return cursor is not None and cursor.uidvalidity is not None and cursor.importing is None


async def test_what_is_young_enough_is_imported_and_what_is_older_not_even_read() -> None:
    world = with_history()
    process = Process(world).start(IMPORTING)
    await process.until(lambda: imported(world))
    await process.kill()
    assert world.subjects() == [f"old{n}" for n in range(5)]
    assert not {1, 2, 3} & set(world.server.fetched)


async def test_new_mails_go_first() -> None:
    world = with_history(3 * fetch_slices.IMPORT_UIDS)
    process = Process(world).start(IMPORTING)
    await process.until(lambda: len(world.mails) > 0)
    world.server.add(mail("new"))
    await process.until(lambda: "new" in world.subjects())
    assert not imported(world)
    for _ in range(500):
        world.clock.advance(fetch_slices.IMPORT_EVERY_S)
        await asyncio.sleep(0.005)
        if imported(world):
            break
    await process.kill()
    assert len(world.mails) == 3 * fetch_slices.IMPORT_UIDS + 1


async def test_an_import_cut_short_goes_on_and_doubles_nothing() -> None:
    for step in range(1, 40):
        world = with_history(4)
        first = Process(world, stop_at=step).start(IMPORTING)
        await first.until(lambda at=first, w=world: at.gate.stopped.is_set() or imported(w))  # type: ignore[misc]
        await first.kill()
        if step % 2:
            world.server.renumber(9)
        world.server.add(mail("new"), at=world.clock.now())
        second = Process(world).start(IMPORTING)
        await second.until(lambda w=world: imported(w) and "new" in w.subjects())  # type: ignore[misc]
        await second.kill()
        fresh = {subject for subject in world.subjects() if subject != "new"}
        assert fresh == {f"old{n}" for n in range(4)}
        assert len(world.identities()) == 5


async def test_a_later_wish_to_import_changes_nothing() -> None:
    world = with_history()
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    await process.kill()
    process = Process(world).start(IMPORTING)
    await process.until(lambda: len(world.server.sessions) == 1)
    world.server.add(mail("new"))
    await process.until(lambda: world.subjects() == ["new"])
    await process.kill()
