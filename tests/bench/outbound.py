"""`make bench-outbound`: throughput and CPU of the outbound path beside the floor of the same run.

Each repeat: the floor; a drain (messages accepted beforehand, the outbox stopped until all are due); REST with 50
requests at a time and undo 0. Then the sink that needs 200 ms, and the idle figures. The last line is one JSON
object of medians.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from dataclasses import dataclass

from tests.bench import floor
from tests.bench.course import Course, answered_count, send_all
from tests.bench.machine import Window, tree_mb
from tests.bench.report import last_line, median, percentile, say
from tests.chaos.desk import Desk
from tests.chaos.listening import Listener
from tests.infra.smtp_peer import PeerProcess

MESSAGES = 4000
UNDO_S = 40
IDLE_S = 20.0
LIMIT_S = 180.0


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run: messages a second, CPU seconds per 1,000 messages, the window; p99 where REST was timed."""

    rate: float
    cpu_s: float
    window: Window
    p99_ms: float = 0.0


async def drain(course: Course, desk: Desk, sink: PeerProcess, number: int) -> Run:
    """Messages accepted beforehand and all due at once: the outbox stands still (SIGSTOP) until the last is due."""
    before, outbox = await answered_count(sink), course.stack.pids["outbox-0"]
    first, last = await _accept(course, desk, number)
    await asyncio.sleep(max(0.0, first - 0.5 - time.time()))
    os.kill(outbox, signal.SIGSTOP)
    try:
        if early := await answered_count(sink) - before:
            raise RuntimeError(f"{early} messages left before all were accepted: raise UNDO_S")
        await asyncio.sleep(max(0.0, last + 0.1 - time.time()))
        meter = course.meter()
        meter.start()
    finally:
        os.kill(outbox, signal.SIGCONT)
    began = time.time()
    await _until(sink, before + number)
    await asyncio.sleep(1)  # settles and events of the last ones belong to the price
    return _run([began, *await _stamps(sink, before)], meter.stop())


async def _accept(course: Course, desk: Desk, number: int) -> tuple[float, float]:
    """Send, and wait until the outbox holds all; returns when the first and the last are due."""
    async with Listener(course.stack.kafka) as listener:
        await send_all(desk, number)
        limit = time.monotonic() + LIMIT_S
        while len(due := [one.due_at or 0.0 for one in listener.records if one.kind == "MessageQueued"]) < number:
            if time.monotonic() > limit:
                raise RuntimeError(f"only {len(due)} of {number} messages were queued")
            await asyncio.sleep(0.1)
    return min(due), max(due)


async def rest(course: Course, desk: Desk, sink: PeerProcess, number: int) -> Run:
    """The whole way, from the first request to the last message at the sink."""
    before, meter = await answered_count(sink), course.meter()
    meter.start()
    began = time.time()
    times = await send_all(desk, number)
    await _until(sink, before + number)
    await asyncio.sleep(1)
    run = _run([began, *await _stamps(sink, before)], meter.stop())
    return Run(run.rate, run.cpu_s, run.window, percentile(times, 0.99) * 1000)


async def _until(sink: PeerProcess, number: int) -> None:
    if (seen := await sink.client.wait_for("answered_250", number, LIMIT_S)) < number:
        raise RuntimeError(f"the sink took {seen} of {number} messages")


async def _stamps(sink: PeerProcess, since: int) -> list[float]:
    return [entry.wall for entry in await sink.client.history(since) if entry.event == "answered"]


def _run(stamps: list[float], window: Window) -> Run:
    number = len(stamps) - 1
    return Run(number / (max(stamps) - min(stamps)), window.total_cpu_s * 1000 / number, window)


async def idle(course: Course) -> dict[str, float]:
    """The largest resident size and the largest share of a core among the services, with nothing to do."""
    await asyncio.sleep(5)
    meter = course.meter()
    meter.start()
    await asyncio.sleep(IDLE_S)
    window = meter.stop()
    services = [name for name in course.stack.pids if name.endswith("-0")]
    sizes = {name: tree_mb(course.stack.pids[name]) for name in services}
    shares = {name: 100 * window.cpu_s[name] / window.wall_s for name in services}
    say(f"idle MB {_rounded(sizes)}, percent of a core {_rounded(shares)}")
    return {"idle_mb": max(sizes.values()), "idle_cpu_pct": max(shares.values())}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in figures.items()}


def _tell(name: str, run: Run) -> Run:
    parts = _rounded({part: used for part, used in run.window.cpu_s.items() if used > 0.01})
    say(f"{name}: {run.rate:.0f} msg/s, {run.cpu_s:.2f} s/1000, p99 {run.p99_ms:.0f} ms, cpu s {parts}, "
        f"others {run.window.others_cores:.2f}")  # fmt: skip
    return run


async def main(repeats: int, number: int) -> None:
    """Run everything and print the figures."""
    async with Course() as course:
        quiet = await idle(course)
        later = await course.desk(course.instant, UNDO_S)
        now = await course.desk(course.instant, 0)
        late_slow = await course.desk(course.slow, UNDO_S)
        floors, drains, rests, slows = [], [], [], []
        for n in range(repeats):
            floors.append(await floor.with_own_sink(number))
            say(f"repeat {n + 1}: floor {floors[-1]:.0f} msg/s")
            drains.append(_tell("drain", await drain(course, later, course.instant, number)))
            rests.append(_tell("rest", await rest(course, now, course.instant, number)))
            slows.append(_tell("slow sink", await drain(course, late_slow, course.slow, number)))
    last_line(_figures(floors, drains, rests, slows) | quiet)


def _figures(floors: list[float], drains: list[Run], rests: list[Run], slows: list[Run]) -> dict[str, float]:
    ground, drained, through = median(floors), median(run.rate for run in drains), median(run.rate for run in rests)
    return {
        "floor_msg_s": ground,
        "drain_msg_s": drained,
        "drain_ratio": drained / ground,
        "rest_msg_s": through,
        "rest_ratio": through / ground,
        "rest_p99_ms": median(run.p99_ms for run in rests),
        "drain_cpu_s_per_1000": median(run.cpu_s for run in drains),
        "rest_cpu_s_per_1000": median(run.cpu_s for run in rests),
        "slow_sink_msg_s": median(run.rate for run in slows),
        "others_cores": median(run.window.others_cores for run in [*drains, *rests, *slows]),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.outbound", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    asked = parser.parse_args()
    asyncio.run(main(asked.repeats, asked.messages))
