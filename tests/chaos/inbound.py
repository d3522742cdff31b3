"""`make kills-inbound`: mails flow in while replicas are killed, the server hangs up and mailboxes are renumbered.

    python -m tests.chaos.inbound --mails 2000 --kills 50 --storms 10 --renumberings 5 [--seed 1]

Three replicas of ingest; every mail carries a Message-ID of its own. A storm ends all IMAP sessions at once, every
other one by killing the server. One replica is stopped (SIGSTOP) for longer than the session timeout and goes on
afterwards: what it still believes to own must not be said twice. *missing*: no event; *second_identities*: a mail with
more than one message_id, or two contents under one; *stalled*: announced later than STALL_S after it was written, or a
mailbox that does not say `connected` at the end. Before all this a fourth replica joins and is killed (`handovers`).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

from tests.bench.report import last_line, percentile, say
from tests.chaos import handovers
from tests.infra.inbound_stage import Box, InboundStage

REPLICAS, BOXES = 3, 24
APART_S = 4.0
STALL_S, STOPPED_S, REST_S = 60.0, 45.0, 150.0
LETTER = (
    "From: c{n}@client.test\r\nTo: desk@mail.test\r\nSubject: number {n}\r\n"
    "Message-ID: <{n}@kills.test>\r\n\r\nhello {n}\r\n"
)


@dataclass(slots=True)
class Run:
    """One run: when each mail was written, and what was done to the world."""

    stage: InboundStage
    chance: Random
    boxes: list[Box]
    written: dict[str, float] = field(default_factory=dict)
    kills: int = 0

    async def write(self, number: int, seconds: float, until: asyncio.Future[None]) -> None:
        """So many mails, evenly over the time, and more at that pace while the killing goes on."""
        began, n = time.monotonic(), 0
        while n < number or not until.done():
            await asyncio.sleep(max(0.0, began + n * seconds / number - time.monotonic()))
            await self._write(n)
            n += 1

    async def _write(self, n: int) -> None:
        """The server is one of those we kill: a mail it took without saying so is there, the next try is another."""
        box = self.boxes[n % len(self.boxes)]
        for turn in range(1000):
            name = f"{n}.{turn}"
            try:
                if await self.stage.dovecot.deliver(box.user, LETTER.format(n=name).encode()):
                    self.written[f"<{name}@kills.test>"] = time.time()
                    return
            except (OSError, ValueError):
                pass
            await asyncio.sleep(0.2)

    async def disturb(self, kills: int, storms: int, renumberings: int) -> None:
        """Everything that is to happen, in a shuffled order, APART_S from one to the next."""
        acts = ["kill"] * kills + ["storm"] * storms + ["renumber"] * renumberings
        self.chance.shuffle(acts)
        acts.insert(len(acts) // 2, "stop")
        done: dict[str, int] = defaultdict(int)
        for act in acts:
            await asyncio.sleep(APART_S * self.chance.uniform(0.5, 1.5))
            done[act] += 1
            await getattr(self, f"_{act}")(done[act])

    async def _kill(self, turn: int) -> None:
        victim = f"ingest-{self.chance.randrange(REPLICAS)}"
        await self.stage.stack.kill9(victim)
        await asyncio.sleep(self.chance.uniform(0.0, 0.5))
        await self.stage.stack.restart(victim, wait=False)
        self.kills += 1

    async def _storm(self, turn: int) -> None:
        if turn % 2:
            await asyncio.to_thread(self.stage.dovecot.kick)
            return
        await self.stage.dovecot.kill9()
        await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        await self.stage.dovecot.start()

    async def _renumber(self, turn: int) -> None:
        box = self.chance.choice(self.boxes)
        await asyncio.to_thread(self.stage.dovecot.renumber, box.user)

    async def _stop(self, turn: int) -> None:
        pid = self.stage.stack.pids["ingest-0"]
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(STOPPED_S)
        os.kill(pid, signal.SIGCONT)

    async def come_to_rest(self) -> None:
        """Wait until every mail is announced and every mailbox connected, or the time is up."""
        ids = [box.channel_id for box in self.boxes]

        def rested() -> bool:
            return not self.missing() and all(self.stage.ear.state(each) == "connected" for each in ids)

        await self.stage.ear.until(rested, REST_S)
        await asyncio.sleep(5)  # a second identity would come about now

    def announced(self) -> dict[str, dict[str, float]]:
        """Per Message-ID: each message_id it was announced by, and when first."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for mail in self.stage.ear.mails:
            found[str(mail.data.get("internet_message_id"))].setdefault(mail.data["message_id"], mail.at)
        return found

    def missing(self) -> list[str]:
        """Mails that nobody spoke of."""
        return [one for one in self.written if one not in self.announced()]

    def figures(self) -> dict[str, object]:
        """The keys of the last line."""
        announced = self.announced()
        ids_of: dict[str, set[str]] = defaultdict(set)
        for mail in self.stage.ear.mails:
            ids_of[mail.data["message_id"]].add(str(mail.data.get("sha256")))
        second = [one for one, ids in announced.items() if len(ids) > 1] + [i for i, h in ids_of.items() if len(h) > 1]
        late = {one: min(announced[one].values()) - at for one, at in self.written.items() if one in announced}
        slow = [one for one, seconds in late.items() if seconds > STALL_S]
        away = [box.user for box in self.boxes if self.stage.ear.state(box.channel_id) != "connected"]
        p50, p99 = percentile(late.values(), 0.5), percentile(late.values(), 0.99)
        say(f"written to announced: p50 {p50:.2f} s, p99 {p99:.1f} s, worst {max(late.values(), default=0):.1f} s")
        say(f"not connected: {away}; resets {len(self.stage.ear.resets)}")
        for one in (self.missing() + second + slow)[:20]:
            say(f"{one}: written {self.written.get(one)}, announced {announced.get(one)}")
        repeats = sum(times - 1 for times in self.stage.ear.seen.values())
        say(f"repeated events (same id): {repeats}")
        return {
            "mails": len(self.written), "kills": self.kills, "missing": len(self.missing()),
            "second_identities": len(second), "stalled": len(slow) + len(away),
        }  # fmt: skip


async def main(mails: int, kills: int, storms: int, renumberings: int, seed: int) -> int:
    """Run and judge; returns the exit code."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    async with InboundStage(REPLICAS, chaos=True) as stage:
        run = Run(stage, Random(seed), await stage.add_boxes(BOXES))
        if not await stage.ear.connected([box.channel_id for box in run.boxes], 90):
            raise RuntimeError(f"not all connected: {stage.ear.states}")
        over = await handovers.measure(stage, run.boxes)
        say(
            f"a fourth replica moved {over.moved} of {over.shards} shards (at most {over.moved_limit}); "
            f"taken over {over.takeover_s:.1f} s after its SIGKILL (at most {over.takeover_limit_s:.0f})"
        )
        disturbing = asyncio.create_task(run.disturb(kills, storms, renumberings))
        seconds = (kills + storms + renumberings) * APART_S + STOPPED_S
        await run.write(mails, seconds, disturbing)
        await disturbing
        await run.come_to_rest()
        figures = run.figures()
    last_line(figures)
    return 1 if figures["missing"] or figures["second_identities"] or figures["stalled"] or not over.hold else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.inbound", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--storms", type=int, default=10)
    parser.add_argument("--renumberings", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.mails, asked.kills, asked.storms, asked.renumberings, asked.seed)))
