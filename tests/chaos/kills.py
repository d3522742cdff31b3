"""`make kills N=2000 KILLS=100`: kill -9 of every service and server while traffic flows, judged from one history.

    python -m tests.chaos.kills --messages 2000 --kills 100 [--seed 1]

Messages flow evenly from the first kill to the last, every fifth with a cancel; the peer takes 0.1 to 0.4 s for its
last reply, so that kills meet open transmissions. The last line is one JSON object; exit code 1 when a promise was
broken or a service stayed away for more than 15 s.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from random import Random

from tests.bench.report import last_line, say
from tests.chaos.checker import judge
from tests.chaos.ground import Ground
from tests.chaos.history import History, Killed
from tests.chaos.killer import SERVERS, Killer
from tests.chaos.verdict import Verdict
from tests.infra.smtp_peer import Action, Rule, Stage

CHANNELS, CLIENTS = 4, tuple(f"client{n}" for n in range(12))
APART_S = 10.0
RESUME_S = 15.0
RULES = (
    Rule(Stage.FINAL, Action.PASS, probability=0.3, delay=0.3),
    Rule(Stage.FINAL, Action.PASS, delay=0.1),
)


class Traffic:
    """Sends messages evenly, channel after channel, and interrupts some of them a moment later."""

    def __init__(self, ground: Ground, chance: Random) -> None:
        self._ground, self._chance = ground, chance
        self._conversations = sorted(ground.desk.conversations, key=lambda one: one.client)

    async def run(self, number: int, seconds: float, until: asyncio.Future[None]) -> None:
        """`number` messages over `seconds`, and more at the same pace until `until`; returns when all are accepted."""
        began, n = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while n < number or not until.done():
                await asyncio.sleep(max(0.0, began + n * seconds / number - time.monotonic()))
                group.create_task(self._one(n))
                n += 1

    async def _one(self, n: int) -> None:
        desk = self._ground.desk
        conversation = self._conversations[n % len(self._conversations)]
        sent = await desk.send_for_sure(conversation, within_s=180)
        self._ground.channel_of[sent.message_id] = conversation.channel_id
        self._ground.history.add(sent)
        if n % 5 == 0:
            await asyncio.sleep(self._chance.uniform(0.0, 6.0))
            self._ground.history.add(*await desk.interrupt(sent.message_id))


def figures(history: History, verdict: Verdict, killed: list[Killed]) -> dict[str, object]:
    """The keys of the last line."""
    broken = {name: verdict.counts()[name] for name in ("lost", "unsettled", "doubled", "parked")}
    away = [one.resumed_at - one.at for one in killed if one.resumed_at and one.what not in SERVERS]
    return {"accepted": len(history.accepted), "kills": len(killed), **broken, "resume_s_max": max(away, default=0.0)}


def good(verdict: Verdict, killed: list[Killed]) -> bool:
    """Whether the run stands: nothing broken, everybody back, the services within 15 s."""
    back = all(one.resumed_at is not None for one in killed)
    quick = all((one.resumed_at or 0) - one.at <= RESUME_S for one in killed if one.what not in SERVERS)
    return verdict.clean and back and quick


async def main(number: int, kills: int, seed: int) -> int:
    """Run and judge; returns the exit code."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it is told about every broker we kill
    chance = Random(seed)
    async with Ground({"config": 1, "signature": 1, "outbox": 2, "gateway": 1}, RULES) as ground:
        await ground.open_channels(CHANNELS, CLIENTS, undo_seconds=1, connections=8)
        killer = Killer(ground, chance)
        killing = asyncio.create_task(killer.run(kills, APART_S))
        await Traffic(ground, chance).run(number, kills * APART_S, killing)
        await killing
        await ground.come_to_rest(within_s=180)
        ground.history.add(*killer.killed)
        say(f"history: {ground.save('kills')}")
        verdict = judge(ground.history)
    for line in verdict.why[:60]:
        say(line)
    for one in killer.killed:
        say(f"{one.what} away for {one.resumed_at - one.at:.1f} s" if one.resumed_at else f"{one.what} never came back")
    last_line(figures(ground.history, verdict, killer.killed))
    return 0 if good(verdict, killer.killed) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kills", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.messages, asked.kills, asked.seed)))
