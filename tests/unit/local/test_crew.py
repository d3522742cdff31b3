"""A crashed member is started again after a pause that grows; one that was killed on purpose stays dead."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local import children, sockets
from deploy.local.crew import Crew
from deploy.local.infra import Addresses, InfraError
from deploy.local.keys import ensure_keys
from deploy.local.roster import World, environment, service

NOWHERE = (sockets.HOST, 1)
ADDRESSES = Addresses("127.0.0.1:1", "mongodb://127.0.0.1:1", NOWHERE, NOWHERE, NOWHERE, NOWHERE, "http://127.0.0.1:1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(ADDRESSES, ensure_keys(tmp_path / "keys"), "http://127.0.0.1:1", extra={"MALOTE_LOG_LEVEL": "DEBUG"})


@pytest.fixture
async def crew(world: World, tmp_path: Path) -> AsyncIterator[Crew]:
    built = Crew(world, tmp_path / "logs")
    built.start_issuer(sockets.free_port())
    await built.until_ready()
    yield built
    await built.stop(1)


async def _crash(crew: Crew) -> None:
    member = crew.members["issuer"]
    os.kill(member.child.pid, signal.SIGKILL)
    await children.ended(member.child, 5)


async def test_a_crashed_member_comes_back_on_its_port(crew: Crew) -> None:
    port = crew.members["issuer"].port
    await _crash(crew)
    assert crew.revive() == ["issuer"]
    assert crew.revive() == []
    assert crew.pids() == {}
    await asyncio.sleep(crew.members["issuer"].pause_s + 0.1)
    crew.revive()
    await crew.until_ready(within_s=10)
    assert crew.members["issuer"].port == port


async def test_the_pause_grows_while_it_keeps_crashing(crew: Crew) -> None:
    pauses = []
    for _ in range(2):
        await _crash(crew)
        crew.revive()
        pauses.append(crew.members["issuer"].pause_s)
        await asyncio.sleep(pauses[-1] + 0.1)
        crew.revive()
    assert pauses[1] == 2 * pauses[0]


async def test_who_was_killed_on_purpose_stays_dead(crew: Crew) -> None:
    await crew.kill9("issuer")
    assert crew.revive() == []
    crew.restart("issuer")
    await crew.until_ready(within_s=10)


async def test_a_member_that_ends_is_reported_with_its_log(crew: Crew) -> None:
    await _crash(crew)
    with pytest.raises(InfraError, match=r"issuer ended \(-9\)"):
        await crew.until_ready()


def test_only_the_outbox_sees_the_key_that_opens(world: World) -> None:
    seen = {name: environment(service(name), f"{name}-0", 1, world) for name in ("config", "signature", "gateway")}
    assert all("MALOTE_SEALING_PRIVATE" not in variables for variables in seen.values())
    assert "MALOTE_SEALING_PRIVATE" in environment(service("outbox"), "outbox-0", 1, world)


def test_what_a_stack_adds_wins(world: World) -> None:
    assert environment(service("config"), "config-3", 1, world)["MALOTE_LOG_LEVEL"] == "DEBUG"
