"""Grouping: everybody gets their own result, nothing waits for a timer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.kit.coalesce import Coalescer


async def test_each_caller_gets_their_own_result_and_calls_are_grouped() -> None:
    groups: list[int] = []

    async def flush(items: list[int]) -> Sequence[int]:
        groups.append(len(items))
        await asyncio.sleep(0.001)
        return [item * 2 for item in items]

    coalescer = Coalescer(flush, limit=40, in_flight=2)
    results = await asyncio.gather(*(coalescer.submit(n) for n in range(200)))
    assert list(results) == [n * 2 for n in range(200)]
    assert len(groups) < 20
    assert max(groups) == 40


async def test_a_lone_call_is_flushed_at_once() -> None:
    async def flush(items: list[int]) -> Sequence[int]:
        return items

    assert await asyncio.wait_for(Coalescer(flush).submit(1), 0.5) == 1


async def test_an_error_reaches_the_callers_of_its_group_alone() -> None:
    async def flush(items: list[int]) -> Sequence[int]:
        await asyncio.sleep(0)
        if 0 in items:
            raise ValueError("bad group")
        return items

    coalescer = Coalescer(flush, limit=1)
    results = await asyncio.gather(*(coalescer.submit(n) for n in range(3)), return_exceptions=True)
    assert isinstance(results[0], ValueError)
    assert list(results[1:]) == [1, 2]


async def test_a_caller_who_left_does_not_disturb_the_others() -> None:
    async def flush(items: list[int]) -> Sequence[int]:
        await asyncio.sleep(0.01)
        return items

    coalescer = Coalescer(flush, in_flight=1)
    left = asyncio.create_task(coalescer.submit(1))
    stays = asyncio.create_task(coalescer.submit(2))
    await asyncio.sleep(0)
    left.cancel()
    assert await stays == 2
    with pytest.raises(asyncio.CancelledError):
        await left


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_who_calls_again_in_the_moment_the_flushes_end_is_served(in_flight: int) -> None:
    """The callers resume before the ended flushes' tasks are cleared away; nobody else would come and start one."""

    async def flush(items: list[int]) -> Sequence[int]:
        gate = gates.pop(0)
        await gate.wait()
        return items

    async def caller(n: int) -> list[int]:
        return [await coalescer.submit(n), await coalescer.submit(n + 10)]

    opened = asyncio.Event()
    gates = [*[opened] * in_flight, *[asyncio.Event() for _ in range(in_flight)]]
    for later in gates[in_flight:]:
        later.set()
    coalescer = Coalescer(flush, limit=1, in_flight=in_flight)
    callers = [asyncio.create_task(caller(n)) for n in range(in_flight)]
    await asyncio.sleep(0)
    opened.set()
    assert await asyncio.wait_for(asyncio.gather(*callers), 1) == [[n, n + 10] for n in range(in_flight)]


async def test_with_a_pace_what_comes_in_a_row_shares_a_flush_and_who_is_alone_never_waits() -> None:
    groups: list[int] = []

    async def flush(items: list[int]) -> Sequence[int]:
        groups.append(len(items))
        return items

    async def trickle(n: int) -> int:
        await asyncio.sleep(n * 0.002)
        return await coalescer.submit(n)

    coalescer = Coalescer(flush, pace_s=0.03)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await coalescer.submit(0) == 0
    assert loop.time() - began < 0.02
    assert await asyncio.gather(*map(trickle, range(20))) == list(range(20))
    assert groups[0] == 1
    assert len(groups) <= 5


async def test_a_full_group_does_not_wait_for_its_pace() -> None:
    async def flush(items: list[int]) -> Sequence[int]:
        return items

    coalescer = Coalescer(flush, limit=10, pace_s=5.0)
    async with asyncio.timeout(2):
        await asyncio.gather(*(coalescer.submit(n) for n in range(30)))


async def test_a_paced_flush_whose_items_another_took_is_none() -> None:
    groups: list[int] = []

    async def flush(items: list[int]) -> Sequence[int]:
        groups.append(len(items))
        await asyncio.sleep(0)
        return items

    coalescer = Coalescer(flush, in_flight=3, pace_s=0.005)
    for _ in range(5):
        await asyncio.gather(*(coalescer.submit(n) for n in range(4)))
    assert 0 not in groups
