"""`make bench-latency`: from the request to the sink's 250 with nothing queued, undo 0, four messages a second.

The bare path (tests.bench.bare) gets a request between two of ours, so that both feel the same machine. Three windows,
medians; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from uuid import uuid4

from tests.bench.course import Course, chosen, taken
from tests.bench.report import last_line, median, percentile, say
from tests.chaos.desk import Desk
from tests.chaos.http import Pool
from tests.chaos.reading import message_id_of

PER_SECOND = 4
WINDOW_S = 60.0
ROOT = Path(__file__).resolve().parents[2]


async def start_bare(course: Course) -> tuple[asyncio.subprocess.Process, Pool]:
    """The bare path as a process, and a connection to it."""
    words = (course.stack.kafka, course.stack.mongo, str(course.instant.port))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare", *words, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert child.stdout is not None
    port = int(await asyncio.wait_for(child.stdout.readline(), 30))
    return child, Pool(f"http://127.0.0.1:{port}", 4)


async def window(desk: Desk, bare: Pool, seconds: float) -> dict[str, float]:
    """Send both kinds for a while; when each request began (Unix time), by message id."""
    began_at: dict[str, float] = {}
    start = time.monotonic()

    async def ours(n: int) -> None:
        began = time.time()
        began_at[taken(await desk.send(chosen(desk, n))).message_id] = began

    async def theirs() -> None:
        name = f"bare-{uuid4()}"
        began_at[name] = time.time()
        await bare.request("POST", f"/{name}", {}, {})

    async with asyncio.TaskGroup() as group:
        for n in range(int(seconds * PER_SECOND)):
            await asyncio.sleep(max(0.0, start + n / PER_SECOND - time.monotonic()))
            group.create_task(ours(n))
            await asyncio.sleep(0.5 / PER_SECOND)
            group.create_task(theirs())
    await asyncio.sleep(2)
    return began_at


async def measured(course: Course, began_at: dict[str, float]) -> tuple[list[float], list[float]]:
    """Milliseconds from the request to the sink's 250, ours and the bare path's; raises when one is missing."""
    ours, bare = list[float](), list[float]()
    for entry in await course.instant.client.history():
        header = entry.fields.get("message_id", "")
        name = header[1:].split("@")[0] if header.startswith("<bare-") else message_id_of(header)
        if entry.event == "answered" and name in began_at:
            (bare if name.startswith("bare-") else ours).append((entry.wall - began_at[name]) * 1000)
    if len(ours) + len(bare) != len(began_at):
        raise RuntimeError(f"{len(began_at) - len(ours) - len(bare)} of {len(began_at)} messages did not arrive")
    return ours, bare


async def main(windows: int, seconds: float) -> None:
    """Run the windows and print the figures."""
    rows = []
    async with Course() as course:
        desk = await course.desk(course.instant, 0, channels=4)
        child, bare = await start_bare(course)
        try:
            await window(desk, bare, 5)  # warm: caches, connections, templates
            for _ in range(windows):
                meter = course.meter(child.pid)
                meter.start()
                began_at = await window(desk, bare, seconds)
                others = meter.stop().others_cores
                ours, theirs = await measured(course, began_at)
                row = (percentile(ours, 0.5), percentile(ours, 0.99), percentile(theirs, 0.5), others)
                say("p50 {:.1f} ms, p99 {:.1f} ms, bare p50 {:.1f} ms, others {:.2f} cores".format(*row))
                rows.append(row)
        finally:
            child.kill()
            await child.wait()
    names = ("p50_ms", "p99_ms", "bare_p50_ms", "others_cores")
    last_line({name: median(row[n] for row in rows) for n, name in enumerate(names)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=WINDOW_S)
    asked = parser.parse_args()
    asyncio.run(main(asked.windows, asked.seconds))
