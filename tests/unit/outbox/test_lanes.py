"""Lanes as replicas hold them, and what a ticket's turn may come to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from contracts.event import Event, event
from contracts.message import MessageComposed
from contracts.tenant import TenantChanged
from services.outbox.domain.document import Message, Reason, Status
from services.outbox.domain.replies import NotOpen, Reply, Stage
from tests.fakes.outbox_smtp import ScriptedSession
from tests.unit.outbox.desk import Replica, World, channel, composed
from tests.unit.outbox.made import CHANNEL, NOW, TENANT

LANE = (TENANT, CHANNEL)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def replica(world: World) -> Replica:
    return Replica(world)


@pytest.fixture
async def driven(replica: Replica) -> AsyncIterator[Replica]:
    """A replica whose lanes are driven."""
    driving = asyncio.create_task(replica.drive.handle())
    yield replica
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)


async def status_of(world: World, asked: Event[MessageComposed]) -> Message:
    found = await world.store.load(TENANT, asked.data.message_id)
    assert found is not None
    return found


async def settled(replica: Replica) -> None:
    """Until nothing moves."""
    for _ in range(30):
        await asyncio.sleep(0)
    await replica.desk.finish()


async def test_what_is_taken_in_is_claimed_and_sent(world: World, driven: Replica) -> None:
    asked = composed()
    await driven.accept.handle(asked)
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT
    assert world.lanes.held[LANE].owner == "r0"
    assert world.statuses.held[LANE].state == "connected"


async def test_another_replicas_lane_is_woken(world: World) -> None:
    owner, other = Replica(world, "r1"), Replica(world, "r2")
    assert await owner.hold.handle(*LANE)
    await other.accept.handle(composed())
    await settled(other)
    assert world.lanes.woken == [LANE]
    assert LANE not in other.desk.board.lanes
    await owner.renew.handle()
    assert len(owner.desk.board.lanes[LANE].waiting) == 1


async def test_the_sweep_finds_a_lane_nobody_holds(world: World, replica: Replica) -> None:
    dead = Replica(world, "dead")
    await dead.accept.handle(composed())
    await settled(dead)
    await replica.sweep.handle()
    assert LANE not in replica.desk.board.lanes
    world.advance(11)
    await replica.sweep.handle()
    assert len(replica.desk.board.lanes[LANE].waiting) == 1
    await dead.renew.handle()
    assert LANE not in dead.desk.board.lanes


async def test_an_idle_lane_is_let_go(world: World, replica: Replica) -> None:
    await replica.hold.handle(*LANE)
    for _ in range(25):
        world.advance(3)
        await replica.renew.handle()
    assert world.lanes.held[LANE].owner is None
    assert not replica.desk.board.lanes


async def test_no_session_pauses_the_lane_and_not_the_message(world: World, driven: Replica) -> None:
    world.submission.ready = [NotOpen(Stage.LOGIN, "authentication_failed", Reply(535))]
    asked = composed()
    await driven.accept.handle(asked)
    await settled(driven)
    assert (await status_of(world, asked)).attempt == 0
    shown = world.statuses.held[LANE]
    assert (shown.state, shown.reason) == ("auth_failed", "authentication_failed")
    assert shown.next_retry_at == world.lanes.held[LANE].paused_until == driven.desk.board.lanes[LANE].paused_until
    world.advance(3601)
    driven.desk.ring()
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT
    assert world.statuses.held[LANE].state == "connected"
    assert world.lanes.held[LANE].paused_until is None


async def test_several_failures_at_once_count_as_one(world: World, replica: Replica) -> None:
    refused = NotOpen(Stage.LOGIN, "authentication_failed", Reply(535))
    for _ in range(4):
        await replica.report.handle(LANE, 1, refused)
    assert world.statuses.held[LANE].failures == 1
    world.advance(3601)
    await replica.report.handle(LANE, 1, refused)
    shown = world.statuses.held[LANE]
    assert shown.next_retry_at == world.database_clock.now() + timedelta(hours=6)


async def test_new_settings_end_a_pause(world: World, driven: Replica) -> None:
    world.submission.ready = [NotOpen(Stage.LOGIN, "authentication_failed")]
    asked = composed()
    await driven.accept.handle(asked)
    await settled(driven)
    changed = channel(version=2)
    await driven.note.handle(event(TENANT, changed, at=NOW, source="config"))
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT


async def test_a_tenant_that_is_switched_off_sends_nothing(world: World, driven: Replica) -> None:
    off = TenantChanged(request_id=CHANNEL, name="Acme", email_enabled=False, max_channels=1)
    world.tenants.held[TENANT] = off
    asked = composed()
    await driven.accept.handle(asked)
    await settled(driven)
    assert not world.submission.opened
    world.tenants.held[TENANT] = off.model_copy(update={"email_enabled": True})
    world.advance(3.1)
    driven.desk.ring()
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT


async def test_a_deferred_message_is_listed_for_its_next_attempt(world: World, driven: Replica) -> None:
    world.submission.ready = [ScriptedSession(to_content=Reply(451))]
    asked = composed()
    await driven.accept.handle(asked)
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.QUEUED
    world.advance(61)
    driven.desk.ring()
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT


async def test_a_removed_channel_fails_what_waits_and_what_comes(world: World, driven: Replica) -> None:
    waiting, late = composed(1, undo=60), composed(2)
    await driven.accept.handle(waiting)
    await settled(driven)
    await driven.note.handle(event(TENANT, channel(version=2, removed=True), at=NOW, source="config"))
    await driven.accept.handle(late)
    for asked in (waiting, late):
        assert (await status_of(world, asked)).reason is Reason.CHANNEL_REMOVED
    assert LANE not in driven.desk.board.lanes
    assert LANE not in world.statuses.held


async def test_a_commit_that_came_too_early_is_tried_again_soon(world: World, driven: Replica) -> None:
    """Our idea of the database's clock may be a little ahead of it."""
    asked = composed()
    commit, early = world.store.commit, [True]

    async def picky(*args: object) -> object:
        if early:
            early.pop()
            world.database_clock.advance(-0.01)
            try:
                return await commit(*args)  # type: ignore[arg-type]
            finally:
                world.database_clock.advance(0.01)
        return await commit(*args)  # type: ignore[arg-type]

    world.store.commit = picky  # type: ignore[assignment,method-assign]
    await driven.accept.handle(asked)
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.QUEUED
    world.advance(0.06)
    driven.desk.ring()
    await settled(driven)
    assert (await status_of(world, asked)).status is Status.SENT


async def test_draining_takes_up_nothing_and_gives_the_lane_back(world: World, driven: Replica) -> None:
    asked = composed(1, undo=10)
    await driven.accept.handle(asked)
    await settled(driven)
    driven.desk.close()
    world.advance(20)
    driven.desk.ring()
    await settled(driven)
    await driven.renew.release.handle()
    assert (await status_of(world, asked)).status is Status.QUEUED
    lane = world.lanes.held[LANE]
    assert lane.owner is None
    assert lane.next_due_at is not None
