"""`make bench-inbound`: from the mail server to the event, beside the server's own push and raw aioimaplib.

Latency: a mail every 3 s, 0.5 s and 0.25 s into one mailbox, then 2 a second into each of 50; a bare client in IDLE on
the same mailbox says when the server itself pushed (`over_floor`, the worst of the three paces; `busy`: the 50), LMTP's
answer when the mail was written. Throughput: 40 mails appear in each of 50 mailboxes at once, small ones and mixed
ones; the floor fetches the same mails right before. Dovecot has TLS with a chain of three certificates.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from tests.bench import inbound_floor
from tests.bench.bare_ear import BareEar
from tests.bench.inbound_mails import mixed, small
from tests.bench.machine import Meter
from tests.bench.report import last_line, median, percentile, say
from tests.infra.inbound_stage import Box, InboundStage

PACES = ((3.0, 20), (0.5, 60), (0.25, 100))
BUSY_BOXES, BUSY_EACH_S, BUSY_S = 50, 0.5, 20.0
BOXES, EACH = 50, 40
LIMIT_S = 60.0


@dataclass(slots=True)
class Timed:
    """Seconds of each mail: beyond the server's own push, and since it was written."""

    over: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)


class Writer:
    """Writes mails into one mailbox at a pace and holds the times together."""

    def __init__(self, stage: InboundStage, box: Box, bare: BareEar, numbers: count[int]) -> None:
        self._stage, self._box, self._bare, self._numbers = stage, box, bare, numbers
        self._at: dict[int, float] = {}
        self._first = bare.exists

    async def write(self, pace_s: float, number: int) -> None:
        """One mail each ``pace_s`` seconds."""
        began = time.monotonic()
        for turn in range(number):
            await asyncio.sleep(max(0.0, began + turn * pace_s - time.monotonic()))
            if not await self._stage.dovecot.deliver(self._box.user, small(next(self._numbers))):
                raise RuntimeError("LMTP refused a mail")
            self._at[self._first + len(self._at) + 1] = time.time()

    async def timed(self) -> Timed:
        """Wait for all, then say how long each took. A mailbox of these benches has no gaps: UIDs are counts."""
        wanted = set(self._at)
        if not await self._stage.ear.until(
            lambda: wanted <= set(self._events()) and wanted <= set(self._bare.at), LIMIT_S
        ):
            raise RuntimeError(f"heard {len(wanted & set(self._events()))} of {len(wanted)} mails")
        events = self._events()
        return Timed([events[n] - self._bare.at[n] for n in wanted], [events[n] - self._at[n] for n in wanted])

    def _events(self) -> dict[int, float]:
        mine = (mail for mail in self._stage.ear.mails if mail.channel_id == self._box.channel_id)
        return {mail.place[2]: mail.at for mail in mine}


async def paced(stage: InboundStage, boxes: Sequence[Box], pace_s: float, number: int, spread: bool = False) -> Timed:
    """Mails at a pace into each of these mailboxes, every one with a bare client of its own."""
    bares = await asyncio.gather(*(BareEar.listen(stage.dovecot.imap, box.user) for box in boxes))
    numbers = count(int(time.time()))
    writers = [Writer(stage, box, bare, numbers) for box, bare in zip(boxes, bares, strict=True)]

    async def one(place: int, writer: Writer) -> Timed:
        await asyncio.sleep(1.0 + (pace_s * place / len(writers) if spread else 0.0))
        await writer.write(pace_s, number)
        return await writer.timed()

    try:
        parts = await asyncio.gather(*(one(place, writer) for place, writer in enumerate(writers)))
    finally:
        await asyncio.gather(*(bare.close() for bare in bares))
    return Timed([s for part in parts for s in part.over], [s for part in parts for s in part.written])


@dataclass(frozen=True, slots=True)
class Burst:
    """40 mails at once in each of 50 mailboxes: ours and the floor's mails a second, CPU s of ingest for 1,000."""

    rate: float
    floor: float
    cpu_s: float


def meter_of(stage: InboundStage) -> Meter:
    """Counts every part of the run, so that what is left was used by others."""
    return Meter({**stage.stack.pids, "dovecot": stage.dovecot.pid}, [os.getpid()])


async def burst(stage: InboundStage, letter: Callable[[int], bytes], boxes_: int, each: int) -> Burst:
    """The floor fetches from mailboxes of its own, then ours appear."""
    floor_boxes, boxes = await stage.make_users(boxes_), await stage.make_users(boxes_)
    for box in floor_boxes:
        stage.dovecot.lay(box.user, [letter(n) for n in range(each)])()
    floor = await inbound_floor.measure(
        stage.dovecot.imaps, stage.dovecot.ca_file, each, [box.user for box in floor_boxes]
    )
    await stage.announce(boxes)
    if not await stage.ear.connected([box.channel_id for box in boxes], 60):
        raise RuntimeError("not all connected")
    await asyncio.sleep(3)
    puts = [stage.dovecot.lay(box.user, [letter(n) for n in range(each)]) for box in boxes]
    meter = meter_of(stage)
    before, wanted = len(stage.ear.mails), each * len(boxes)
    meter.start()
    began = time.time()
    for put in puts:
        put()
    if not await stage.ear.until(lambda: len(stage.ear.mails) - before >= wanted, LIMIT_S):
        raise RuntimeError(f"{len(stage.ear.mails) - before} of {wanted} mails in {LIMIT_S:.0f} s")
    took = max(mail.at for mail in stage.ear.mails[before : before + wanted]) - began
    await asyncio.sleep(0.5)
    window = meter.stop()
    run = Burst(wanted / took, floor, window.cpu_s["ingest-0"] * 1000 / wanted)
    say(f"burst: {run.rate:.0f} mails/s, floor {floor:.0f}, {run.cpu_s:.3f} s/1000, others {window.others_cores:.2f}")
    return run


async def main(repeats: int, paces: Sequence[tuple[float, int]], busy_s: float) -> None:
    """Run everything and print the figures."""
    async with InboundStage() as stage:
        over, busy = await latencies(stage, paces, busy_s)
        bursts = {
            letter: [await burst(stage, letter, BOXES, EACH) for _ in range(repeats)] for letter in (small, mixed)
        }
        await asyncio.sleep(2)
        doubled = sum(times - 1 for times in stage.ear.seen.values())
    rate, floor = median(run.rate for run in bursts[small]), median(run.floor for run in bursts[small])
    last_line({
        "over_floor_p50_ms": 1000 * max(percentile(part.over, 0.5) for part in over),
        "over_floor_p99_ms": 1000 * max(percentile(part.over, 0.99) for part in over),
        "busy_p50_ms": 1000 * percentile(busy.over, 0.5),
        "busy_p99_ms": 1000 * percentile(busy.over, 0.99),
        "written_p99_ms": 1000 * max(percentile(part.written, 0.99) for part in [*over, busy]),
        "mails_per_s": rate,
        "floor_mails_per_s": floor,
        "ratio": median(run.rate / run.floor for run in bursts[small]),
        "mixed_mails_per_s": median(run.rate for run in bursts[mixed]),
        "cpu_s_per_1000": median(run.cpu_s for run in bursts[small]),
        "cpu_s_per_1000_mixed": median(run.cpu_s for run in bursts[mixed]),
        "doubled": doubled,
    })  # fmt: skip


async def latencies(
    stage: InboundStage, paces: Sequence[tuple[float, int]], busy_s: float
) -> tuple[list[Timed], Timed]:
    """The paces of one mailbox, and the fifty."""
    boxes = await stage.add_boxes(BUSY_BOXES)
    if not await stage.ear.connected([box.channel_id for box in boxes], 60):
        raise RuntimeError("not all connected")
    over = []
    for (pace_s, number), box in zip(paces, boxes, strict=False):
        over.append(await paced(stage, [box], pace_s, number))
        _tell(f"a mail every {pace_s} s", over[-1])
    rest = boxes[len(paces) :] + boxes[: len(paces)]
    busy = await paced(stage, rest, BUSY_EACH_S, int(busy_s / BUSY_EACH_S), spread=True)
    _tell(f"{len(rest)} mailboxes, a mail every {BUSY_EACH_S} s in each", busy)
    return over, busy


def _tell(what: str, times: Timed) -> None:
    shares = " ".join(
        f"{name} p50 {1000 * percentile(part, 0.5):.0f} p99 {1000 * percentile(part, 0.99):.0f} ms"
        for name, part in (("over the push", times.over), ("since written", times.written))
    )
    say(f"{what}: {shares}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.inbound", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="fewer mails, for a look")
    asked = parser.parse_args()
    chosen = ((3.0, 3), (0.5, 10), (0.25, 20)) if asked.short else PACES
    asyncio.run(main(asked.repeats, chosen, 5.0 if asked.short else BUSY_S))
