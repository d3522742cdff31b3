"""Child processes die of what they must die of, alone, and leave nobody waiting and nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.kit.child_process import ChildEnded
from services.kit.child_queue import HEAVY
from services.kit.children import ChildPool, Killed

ROOT = str(Path(__file__).parents[3])
SPECIMEN = "tests.unit.kit.child_specimen"
MIB = 1 << 20


def pool_of(size: int = 1, **changes: Any) -> ChildPool:
    """A pool of specimens with tight limits."""
    limits: dict[str, Any] = {"seconds": 0.3, "memory_bytes": 256 * MIB, "output_bytes": 1_000, "wall_seconds": 5.0}
    return ChildPool(SPECIMEN, size=size, **(limits | changes))


@pytest.fixture
async def pool() -> AsyncIterator[ChildPool]:
    made = pool_of()
    yield made
    await made.close()


async def test_answers_come_back_to_their_callers(pool: ChildPool) -> None:
    asked = [b"echo %d" % number for number in range(500)]
    assert await asyncio.gather(*map(pool.call, asked)) == [b"%d" % number for number in range(500)]
    assert len(pool.pids) == 1


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (b"spin", "cpu"),
        (b"native", "cpu"),
        (b"hog", "memory"),
        (b"long 1001", "output"),
        (b"raise", "raised"),
        (b"exit", "died"),
        (b"crash", "died"),
    ],
)
async def test_each_excess_is_named_and_only_its_request_pays(pool: ChildPool, request_: bytes, reason: str) -> None:
    asked = [b"echo before", request_, *(b"echo %d" % number for number in range(20))]
    before, outcome, *after = await asyncio.gather(*map(pool.call, asked))
    assert before == b"before"
    assert isinstance(outcome, Killed)
    assert (outcome.reason, outcome.detail) == (reason, "ValueError" if reason == "raised" else "")
    assert after == [b"%d" % number for number in range(20)]


async def test_one_that_sleeps_is_killed_by_the_wall_clock() -> None:
    pool = pool_of(wall_seconds=0.3)
    slept, echo = await asyncio.gather(pool.call(b"sleep 60"), pool.call(b"echo 1"))
    assert (slept, echo) == (Killed("wall"), b"1")
    assert await pool.call(b"deaf") == Killed("died")
    await pool.close()


async def test_slow_progress_is_progress() -> None:
    pool = pool_of(wall_seconds=0.5)
    assert await asyncio.gather(*(pool.call(b"slow 0.2") for _ in range(6))) == [b"0.2"] * 6
    await pool.close()


async def test_many_guilty_ones_in_one_hand_over_all_pay_and_no_others(pool: ChildPool) -> None:
    asked = [b"exit" if number % 7 == 3 else b"echo %d" % number for number in range(40)]
    outcomes = await asyncio.gather(*map(pool.call, asked))
    for number, outcome in enumerate(outcomes):
        assert outcome == (Killed("died") if number % 7 == 3 else b"%d" % number)


async def test_big_requests_and_answers_pass() -> None:
    pool = pool_of(output_bytes=20 * MIB, memory_bytes=512 * MIB, seconds=5.0)
    big = b"echo " + os.urandom(10 * MIB)
    assert await asyncio.gather(*(pool.call(big) for _ in range(3))) == [big[5:]] * 3
    await pool.close()


async def test_a_request_too_big_to_read_is_killed_after_a_second_try(pool: ChildPool) -> None:
    outcome, echo = await asyncio.gather(pool.call(b"echo " + bytes(300 * MIB)), pool.call(b"echo 1"))
    assert isinstance(outcome, Killed)
    assert echo == b"1"


async def test_a_child_killed_while_idle_costs_no_request(pool: ChildPool) -> None:
    assert await pool.call(b"echo 1") == b"1"
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await asyncio.gather(*(pool.call(b"echo 2") for _ in range(10))) == [b"2"] * 10


async def test_children_have_an_empty_environment_and_nothing_else_of_ours_open(pool: ChildPool) -> None:
    with open(__file__):
        env = await pool.call(b"env")
        assert isinstance(env, bytes)
        assert set(env.split()) <= {b"PYTHONPATH", b"LC_CTYPE"}
        assert await pool.call(b"fds") in (b"5", b"6")


async def test_children_are_recycled() -> None:
    pool = pool_of(recycle_after=3)
    pids = [await pool.call(b"pid") for _ in range(9)]
    assert [len({*pids[at : at + 3]}) for at in (0, 3, 6)] == [1, 1, 1]
    assert len(set(pids)) == 3
    await pool.close()


async def test_several_children_work_side_by_side() -> None:
    pool = pool_of(3)
    await pool.start(early=True)
    assert len(pool.pids) == 3
    start = time.monotonic()
    await asyncio.gather(*(pool.call(b"slow 0.4") for _ in range(3)))
    assert time.monotonic() - start < 1.1
    await pool.close()


async def test_quick_ones_do_not_wait_for_heavy_ones() -> None:
    pool = pool_of(2, seconds=5.0, memory_bytes=512 * MIB)
    await pool.start(early=True)
    heavy = [asyncio.create_task(pool.call(b"slow 0.4" + b" " * HEAVY)) for _ in range(3)]
    await asyncio.sleep(0.05)
    start = time.monotonic()
    for number in range(20):
        assert await pool.call(b"echo %d" % number) == b"%d" % number
    assert time.monotonic() - start < 0.3
    assert [one.done() for one in heavy] == [False] * 3
    await asyncio.gather(*heavy)
    assert time.monotonic() - start > 1.0, "one after the other"
    await pool.close()


async def test_with_one_child_heavy_and_quick_take_turns() -> None:
    pool = pool_of(1, seconds=5.0, memory_bytes=512 * MIB)
    await pool.start(early=True)
    done: list[str] = []

    async def ask(name: str, request: bytes) -> None:
        await pool.call(request)
        done.append(name)

    heavy = [ask(f"heavy {n}", b"slow 0.1" + b" " * HEAVY) for n in range(3)]
    await asyncio.gather(*heavy, ask("quick", b"echo 1"))
    assert done.index("quick") <= 1
    assert len(done) == 4
    await pool.close()


async def test_a_heavy_one_that_is_killed_gives_its_place_back(pool: ChildPool) -> None:
    guilty = b"spin " + b" " * HEAVY
    assert await asyncio.gather(*(pool.call(guilty) for _ in range(2))) == [Killed("cpu")] * 2
    assert await pool.call(b"exit" + b" " * HEAVY) == Killed("died")


async def test_a_caller_that_gave_up_disturbs_nobody(pool: ChildPool) -> None:
    given_up = asyncio.create_task(pool.call(b"slow 0.2"))
    also = [asyncio.create_task(pool.call(b"echo 0")) for _ in range(3)]
    await asyncio.sleep(0.15)
    for task in (given_up, *also):
        task.cancel()
    assert await pool.call(b"echo 1") == b"1"


async def test_close_ends_the_children_and_answers_those_who_wait() -> None:
    pool = pool_of()
    waiting = [asyncio.create_task(pool.call(b"slow 3")) for _ in range(3)]
    while not pool.pids:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    pids = pool.pids
    await pool.close()
    assert await asyncio.gather(*waiting) == [Killed("died", "closed")] * 3
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_a_module_that_does_not_start_is_told_and_not_tried_for_ever() -> None:
    pool = ChildPool("tests.no_such_module", size=1, seconds=1, memory_bytes=256 * MIB, output_bytes=10)
    assert {*await asyncio.gather(pool.call(b"a"), pool.call(b"b"))} == {Killed("start")}
    await pool.close()
    with pytest.raises(ChildEnded):
        await pool.start(early=True)


async def test_an_idle_child_is_small(pool: ChildPool) -> None:
    await pool.call(b"echo 1")
    assert psutil.Process(pool.pids[0]).memory_info().rss < 20 * MIB


PARENT = """
import asyncio, sys
from tests.unit.kit.test_children import pool_of
async def main():
    pool = pool_of(2, seconds=60, wall_seconds=60)
    await pool.start(early=True)
    calls = [asyncio.create_task(pool.call(word)) for word in (b"spin", b"sleep 60")]
    await asyncio.sleep(0.2)
    print(*pool.pids, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_no_child_outlives_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={"PYTHONPATH": ROOT})
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while alive := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
