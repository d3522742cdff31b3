"""`make bench-mailboxes`: what a thousand idle TLS mailboxes cost one ingest, and whether any is deaf.

One ingest with its parser workers; Dovecot with a chain of three certificates. The base is taken after one mailbox
has had its mail. All others are announced at once; when each is connected a mail of 200 KB goes to each; memory and
CPU are read when all is quiet. Then 200 new ones: each is written to the moment it reports `connected`, and must be
heard within 30 s (IDLE is renewed every 4-5 minutes: nobody hears by that).
"""

from __future__ import annotations

import argparse
import asyncio
import time

import psutil

from tests.bench.machine import Meter, tree_mb
from tests.bench.report import last_line, say
from tests.infra.inbound_stage import Box, InboundStage

MAILBOXES, DEAF = 1000, 200
HEARD_S = 30.0
QUIET_S, IDLE_S = 10.0, 30.0
AT_ONCE = 6
LARGE = b"From: a@b.test\r\nSubject: large\r\nMessage-ID: <%d@large.test>\r\n\r\n" + (b"x" * 72 + b"\r\n") * 2770
"""200 KB."""
SMALL = b"From: a@b.test\r\nSubject: now\r\nMessage-ID: <%d@deaf.test>\r\n\r\nhello\r\n"


def resident_kib(pid: int) -> int:
    """Resident KiB of this process alone."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def alone_mb(root: int) -> float:
    """Resident megabytes of a process and its children, as on a machine of their own.

    What is private to each, and what they share (the interpreter's and the libraries' files) once: the largest share.
    """
    private, shared = 0.0, 0.0
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        with open(f"/proc/{process.pid}/smaps_rollup") as rollup:
            sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in list(rollup)[1:])}
        private += sizes["Private_Clean"] + sizes["Private_Dirty"]
        shared = max(shared, sizes["Shared_Clean"] + sizes["Shared_Dirty"])
    return (private + shared) * 1024 / 1e6


async def deliver_all(stage: InboundStage, boxes: list[Box], letter: bytes) -> None:
    """One mail to each; returns when each was announced."""
    waiting = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, box: Box) -> None:
        async with waiting:
            if not await stage.dovecot.deliver(box.user, letter % number):
                raise RuntimeError(f"{box.user}: refused\n{stage.dovecot.log()}")

    wanted = {box.channel_id for box in boxes}
    before = len(stage.ear.mails)
    await asyncio.gather(*(one(number, box) for number, box in enumerate(boxes)))

    def missing() -> set[str]:
        return wanted - {mail.channel_id for mail in stage.ear.mails[before:]}

    if not await stage.ear.until(lambda: not missing(), 120):
        raise RuntimeError(f"{len(missing())} of {len(wanted)} mails were not announced")


async def connect_all(stage: InboundStage, boxes: list[Box]) -> float:
    """Announce the channels; seconds until the last is connected."""
    began = time.time()
    await stage.announce(boxes)
    if not await stage.ear.connected([box.channel_id for box in boxes], 180):
        raise RuntimeError(f"not all connected: {sorted({s[:2] for s in stage.ear.states.values()})}")
    return max(stage.ear.states[box.channel_id][2] for box in boxes) - began


async def deaf_ones(stage: InboundStage, number: int) -> int:
    """How many did not hear the mail that was written the moment they reported connected."""
    boxes = {box.channel_id: box for box in await stage.make_users(number)}
    writing: list[asyncio.Task[bool]] = []

    def turn(channel_id: str, state: str) -> None:
        box = boxes.get(channel_id)
        if box is not None and state == "connected":
            writing.append(asyncio.create_task(stage.dovecot.deliver(box.user, SMALL % len(writing))))

    stage.ear.turns.append(turn)
    await connect_all(stage, list(boxes.values()))
    if not all(await asyncio.gather(*writing)):
        raise RuntimeError("a mail was refused")

    def silent() -> set[str]:
        return set(boxes) - {mail.channel_id for mail in stage.ear.mails}

    await stage.ear.until(lambda: not silent(), HEARD_S)
    return len(silent())


async def main(number: int, deaf: int) -> None:
    """Run and print the figures."""
    async with InboundStage() as stage:
        pid = stage.stack.pids["ingest-0"]
        first = await stage.make_users(1)
        await connect_all(stage, first)
        await deliver_all(stage, first, LARGE)
        await asyncio.sleep(QUIET_S)
        base_mb, base_kib = alone_mb(pid), resident_kib(pid)
        say(f"base {base_mb:.1f} MB with workers (resident sizes summed: {tree_mb(pid):.1f})")
        boxes = await stage.make_users(number)
        connect_s = await connect_all(stage, boxes)
        say(f"{number} connected in {connect_s:.1f} s, {(resident_kib(pid) - base_kib) / number:.1f} KiB each")
        await deliver_all(stage, boxes, LARGE)
        await asyncio.sleep(QUIET_S)
        meter = Meter({"ingest": pid})
        meter.start()
        await asyncio.sleep(IDLE_S)
        window = meter.stop()
        kib_each = (resident_kib(pid) - base_kib) / number
        say(f"{kib_each:.1f} KiB each after 200 KB each; others used {window.others_cores:.2f} cores")
        left = await deaf_ones(stage, deaf)
        states = [stage.ear.state(box.channel_id) for box in boxes]
        say(f"still connected: {states.count('connected')} of {number}")
    last_line({
        "mailboxes": number,
        "kib_each": kib_each,
        "cpu_pct_per_100": 100 * window.total_cpu_s / window.wall_s / number * 100,
        "connect_s": connect_s,
        "base_mb": base_mb,
        "deaf": left,
    })  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mailboxes", description=__doc__)
    parser.add_argument("--mailboxes", type=int, default=MAILBOXES)
    parser.add_argument("--deaf", type=int, default=DEAF)
    asked = parser.parse_args()
    asyncio.run(main(asked.mailboxes, asked.deaf))
