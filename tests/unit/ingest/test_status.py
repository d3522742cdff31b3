"""The state shown is the state there is; how long a server is left alone; what a restart does not forget."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.ingest.domain import status as rules
from services.ingest.domain.imap_status import Sign, Stage, Trouble, judge
from services.ingest.handlers.doubt_statuses import OVERDUE, DoubtStatuses
from services.ingest.handlers.watch_mailbox import SHORT_S
from tests.fakes.ingest_mailbox import BORN, LOST, mail
from tests.unit.ingest.world import ACCOUNT, KEY, Process, Relay, World

WRONG = Trouble(Stage.LOGIN, Sign.NO, "AUTHENTICATIONFAILED")
PLAIN_NO = Trouble(Stage.LOGIN, Sign.NO)
AWAY = Trouble(Stage.CONNECT, Sign.REFUSED)


async def test_connecting_then_connected_once() -> None:
    world = World()
    process = Process(world).start()
    await process.until(lambda: world.statuses.states() == ["connecting/none", "connected/none"])
    world.server.add(mail("a"))
    await process.until(lambda: len(world.mails) == 1)
    await asyncio.sleep(0.05)
    await process.kill()
    assert world.statuses.states() == ["connecting/none", "connected/none"]


async def test_what_cannot_be_reached_is_tried_again_until_it_is() -> None:
    world = World()
    world.server.refuses = [AWAY] * 4
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    await process.kill()
    assert world.statuses.states()[1:] == ["unreachable/refused_connection"] * 4 + ["connected/none"]
    assert world.statuses.statuses[KEY].failures == 0


async def test_a_wrong_password_waits_an_hour_also_over_a_restart() -> None:
    world = World()
    world.server.refuses = [WRONG]
    process = Process(world).start()
    await process.until(lambda: world.server.opened == 2)
    assert world.clock.monotonic() >= 3600
    await process.kill()
    status = world.statuses.statuses[KEY]
    retry = world.clock.now() + timedelta(minutes=30)
    world.statuses.statuses[KEY] = replace(status, state="auth_failed", next_retry_at=retry)
    before = world.clock.monotonic()
    process = Process(world).start()
    await process.until(lambda: world.server.opened == 3)
    await process.kill()
    assert 1700 <= world.clock.monotonic() - before < 2200


async def test_the_first_refusal_waits_an_hour_whatever_failed_before() -> None:
    world = World()
    world.server.refuses = [AWAY] * 5 + [WRONG]
    process = Process(world).start()
    await process.until(lambda: "auth_failed/authentication_failed" in world.statuses.states())
    await process.kill()
    (refused,) = [each.data for each in world.statuses.told if each.data.state == "auth_failed"]
    assert (refused.next_retry_at - refused.since).total_seconds() == 3600


async def test_new_settings_try_at_once() -> None:
    world = World()
    world.server.refuses = [WRONG]
    process = Process(world).start()
    await process.until(lambda: "auth_failed/authentication_failed" in world.statuses.states())
    await process.kill()
    before = world.clock.monotonic()
    process = Process(world).start(replace(ACCOUNT, version=2))
    await process.until(lambda: world.statuses.states()[-2:] == ["connecting/settings_changed", "connected/none"])
    await process.kill()
    assert world.clock.monotonic() - before < 1000


async def test_a_no_without_a_code_is_a_refusal_the_second_time() -> None:
    world = World()
    world.server.refuses = [PLAIN_NO, AWAY, PLAIN_NO, PLAIN_NO]
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    await process.kill()
    assert world.statuses.states()[1:-1] == [
        "unreachable/server_unavailable", "unreachable/refused_connection", "unreachable/server_unavailable",
        "auth_failed/refused_without_code",
    ]  # fmt: skip


async def test_a_connection_lost_after_a_while_and_back_at_once_is_no_news() -> None:
    world = World()
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    world.clock.advance(SHORT_S + 1)
    world.server.lose()
    await process.until(lambda: world.server.opened == 2 and len(world.server.sessions) == 1)
    world.server.add(mail("a"))
    await process.until(lambda: len(world.mails) == 1)
    await process.kill()
    assert world.statuses.states() == ["connecting/none", "connected/none"]


async def test_a_server_that_drops_every_connection_is_not_called_connected() -> None:
    world = World()
    world.server.drops = 5
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    await process.kill()
    assert world.statuses.states()[1:-1] == ["unreachable/connection_lost"] * 5


async def test_a_server_that_drops_what_listens_is_tried_ever_more_seldom() -> None:
    world = World()
    process = Process(world).start()
    for n in range(6):
        await process.until(lambda n=n: world.server.opened == n + 1 and len(world.server.sessions) == 1)  # type: ignore[misc]
        await process.until(lambda: world.statuses.statuses[KEY].state == "connected")
        before = world.clock.monotonic()
        world.server.lose()
    await process.until(lambda: world.server.opened == 7)
    await process.kill()
    assert world.clock.monotonic() - before >= 15


def test_pauses() -> None:
    refused, busy, away = judge(WRONG), judge(Trouble(Stage.LOGIN, Sign.NO, "LIMIT")), judge(LOST)
    hours = [rules.pause_seconds(refused, failures, 0.5) / 3600 for failures in range(5)]
    assert hours == [1, 6, 24, 24, 24]
    assert [rules.pause_seconds(away, failures, 0.5) for failures in (0, 1, 2, 30)] == [1, 2, 4, 300]
    assert rules.pause_seconds(busy, 0, 0.5) == 30
    assert rules.pause_seconds(away, 3, 0.0) < rules.pause_seconds(away, 3, 0.99)


async def test_a_mailbox_nobody_watches_stops_saying_connected() -> None:
    world = World()
    await world.statuses.write(None, replace(rules.connecting(*KEY, 1, BORN), state="connected", proven_at=BORN), ())
    doubt = DoubtStatuses(world.statuses, Relay(), world.clock)
    await doubt.handle()
    assert world.statuses.states() == []
    world.clock.advance(OVERDUE.total_seconds() + 1)
    await doubt.handle()
    await doubt.handle()
    assert world.statuses.states() == ["connecting/not_watched"]
