"""`make races N=5000`: cancels fired around the commit on the real stack, judged from one history.

    python -m tests.chaos.races --pairs 5000 [--seed 1]

The last line is one JSON object; `cancel_won` and `commit_won` count the close pairs. Exit code 1 when a promise was
broken or the races were not close or even enough.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from random import Random

from tests.bench.report import last_line, say
from tests.chaos.aim import Aim
from tests.chaos.checker import judge
from tests.chaos.desk import Conversation
from tests.chaos.ground import Ground
from tests.chaos.history import Accepted, History, Spoken
from tests.chaos.pairs import Tally, pairs, tally
from tests.chaos.verdict import FINAL, Verdict, messages
from tests.infra.smtp_peer import Action, Per, Rule, Stage

PER_SECOND = 40
CHANNELS, PLAIN = 10, 24
RULES = (
    Rule(Stage.RCPT, code=451, text="4.7.1 greylisted", recipient="^grey-rcpt", probability=0.5),
    Rule(Stage.FINAL, code=451, text="4.7.1 greylisted", recipient="^grey-final", per=Per.MESSAGE, times=1),
    Rule(Stage.FINAL, Action.PASS, recipient="^slow", delay=0.3),
)
CLIENTS = (*(f"plain{n}" for n in range(PLAIN)), "grey-rcpt", "grey-final", "slow0", "slow1")
SHAPES = {"race": 20, "tripled": 2, "grey": 3, "slow": 2, "after": 1, "before": 1, "foreign": 1}


class Racer:
    """Sends messages at an even pace and fires at each according to its shape."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self._ground = ground
        self._chance = Random(seed)
        self._aim = Aim(self._chance)
        self._taught: dict[str, str] = {}
        self._next = 0
        ground.listener.calls.append(self._learn)

    async def run(self, number: int) -> None:
        """All pairs; returns when the last cancel was fired."""
        await self._before_for_certain(max(2, number // 100))
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for n in range(number):
                await asyncio.sleep(max(0.0, began + n / PER_SECOND - time.monotonic()))
                shape = self._chance.choices(list(SHAPES), list(SHAPES.values()))[0]
                group.create_task(self._pair(shape))
                if n % 400 == 399:
                    say(f"{n + 1} pairs, centres {dict(self._aim.centre)}")

    def _conversation(self, prefix: str) -> Conversation:
        fitting = [one for one in self._ground.desk.conversations if one.client.startswith(prefix)]
        self._next += 1
        return fitting[self._next % len(fitting)]

    async def _pair(self, shape: str) -> None:
        conversation = self._conversation(shape if shape in ("grey", "slow") else "plain")
        sent = await self._ground.desk.send_for_sure(conversation, shape)
        self._ground.history.add(sent)
        if shape == "before":
            return await self._fire(sent, "kafka", "before")
        if shape == "after":
            await self._ground.final(sent.message_id)
            return await self._fire(sent, self._way(), "after")
        return await self._around_the_commit(sent, shape)

    async def _around_the_commit(self, sent: Accepted, shape: str) -> None:
        due_at = (await self._ground.queued(sent.message_id)).due_at or 0.0
        way = self._way()
        await asyncio.sleep(max(0.0, due_at + self._aim.offset(way) - time.time()))
        if shape == "foreign":
            return await self._fire_foreign(sent)
        if shape == "race":
            self._taught[sent.message_id] = way
        shots = [way] if shape != "tripled" else ["rest", "kafka", "kafka"]
        await asyncio.gather(*(self._fire(sent, one, "race") for one in shots))
        return None

    def _way(self) -> str:
        return "kafka" if self._chance.random() < 1 / 3 else "rest"

    async def _fire(self, sent: Accepted, way: str, shape: str) -> None:
        if way == "kafka":
            self._ground.history.add(await self._ground.cancels.fire(sent.tenant, sent.message_id, shape))
        else:
            self._ground.history.add(*await self._ground.desk.interrupt(sent.message_id, shape))

    async def _fire_foreign(self, sent: Accepted) -> None:
        stranger, cancels = self._ground.stranger, self._ground.cancels
        self._ground.history.add(await cancels.fire(stranger.tenant, sent.message_id, "foreign", foreign=True))
        self._ground.history.add(*await stranger.interrupt(sent.message_id, "foreign", foreign=True))

    async def _before_for_certain(self, number: int) -> None:
        """Cancels that reach the outbox before their message: the signature service stands still meanwhile."""
        signature = self._ground.stack.pids["signature-0"]
        os.kill(signature, signal.SIGSTOP)
        try:
            for _ in range(number):
                sent = await self._ground.desk.send_for_sure(self._conversation("plain"), "before")
                self._ground.history.add(sent)
                await self._fire(sent, "kafka", "before")
        finally:
            os.kill(signature, signal.SIGCONT)

    def _learn(self, said: Spoken) -> None:
        if said.kind in FINAL and (way := self._taught.pop(said.message_id, None)):
            self._aim.learn(way, said.kind == "MessageInterrupted")


def figures(history: History, verdict: Verdict, races: Tally) -> dict[str, object]:
    """The keys of the last line."""
    names = ("interrupted_and_transmitted", "two_outcomes", "untrue", "unsettled")
    broken = {name: verdict.counts()[name] for name in names}
    won = {"cancel_won": races.close_cancel_won, "commit_won": races.close_commit_won}
    return {"pairs": len(history.accepted), "close_pairs": races.close_pairs, **broken, **won}


def good(number: int, verdict: Verdict, races: Tally) -> bool:
    """Whether the run stands: nothing broken, enough close races (1,000 of 5,000), both sides at least a fifth."""
    even = min(races.close_cancel_won, races.close_commit_won) >= 0.2 * races.close_pairs
    return verdict.clean and races.close_pairs >= number / 5 and even


async def main(number: int, seed: int) -> int:
    """Run and judge; returns the exit code."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    async with Ground({"config": 1, "signature": 1, "outbox": 2, "gateway": 1}, RULES) as ground:
        await ground.open_channels(CHANNELS, CLIENTS, undo_seconds=1, connections=8)
        await Racer(ground, seed).run(number)
        await ground.come_to_rest(within_s=120)
        say(f"history: {ground.save('races')}")
        verdict, races = judge(ground.history), tally(pairs(messages(ground.history)))
    for line in verdict.why[:40]:
        say(line)
    say(f"all races: cancel won {races.cancel_won}, commit won {races.commit_won}; parked {len(verdict.parked)}")
    last_line(figures(ground.history, verdict, races))
    return 0 if good(number, verdict, races) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.races", description=__doc__)
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.pairs, asked.seed)))
