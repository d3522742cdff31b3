"""Kills processes with SIGKILL at seeded moments, starts them again, and measures how long each stayed away."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from random import Random

from tests.chaos.ground import Ground
from tests.chaos.history import Killed
from tests.chaos.http import Broken

SERVICES = ("gateway-0", "signature-0", "config-0", "outbox-0", "outbox-1")
SERVERS = ("kafka", "mongo")
EVERY = 8
PATIENCE_S = 60.0


@dataclass(slots=True)
class Killer:
    """One victim after the other; a service counts as back at its first event of every channel it has to serve."""

    ground: Ground
    chance: Random
    killed: list[Killed] = field(default_factory=list)

    def plan(self, number: int) -> list[str]:
        """The victims in order: every eighth is a server, the services in turn in a shuffled order."""
        services: list[str] = []
        while len(services) < number:
            services += self.chance.sample(SERVICES, len(SERVICES))
        return [self.chance.choice(SERVERS) if n % EVERY == EVERY - 1 else services[n] for n in range(number)]

    async def run(self, number: int, apart_s: float) -> None:
        """Kill `number` times, about `apart_s` from kill to kill where recovery allows."""
        for victim in self.plan(number):
            began = time.monotonic()
            await asyncio.sleep(self.chance.uniform(0.0, min(3.0, apart_s)))
            self.killed.append(await self._kill(victim))
            await asyncio.sleep(max(0.0, apart_s - (time.monotonic() - began)))

    async def _kill(self, victim: str) -> Killed:
        at = time.time()
        await self.ground.stack.kill9(victim)
        await asyncio.sleep(self.chance.uniform(0.0, 0.5))
        await self.ground.stack.restart(victim, wait=False)
        try:
            back = await asyncio.wait_for(self._back(victim, at), PATIENCE_S)
        except TimeoutError:
            back = None
        return Killed(victim, at, back)

    async def _back(self, victim: str, at: float) -> float:
        if victim == "config-0":
            return await self._config_answers()
        if victim == "gateway-0":
            return await self._gateway_accepts(at)
        return await self._every_channel_moves(at)

    async def _config_answers(self) -> float:
        """A reconnect wish is settled by config: its event is the channel's next version."""
        channel_id = self.ground.desk.channels[0]
        while True:
            try:
                if await self.ground.desk.reconnect(channel_id):
                    return time.time()
            except Broken:
                pass
            await asyncio.sleep(0.1)

    async def _gateway_accepts(self, at: float) -> float:
        while not (stamps := [one.at for one in self.ground.history.accepted if one.at > at + 0.05]):
            await asyncio.sleep(0.05)
        return min(stamps)

    async def _every_channel_moves(self, at: float) -> float:
        """The latest of all channels' first `MessageQueued` after the kill: nobody is left behind."""
        while True:
            first = self._first_queued(at)
            if len(first) == len(self.ground.desk.channels):
                return max(first.values())
            await asyncio.sleep(0.1)

    def _first_queued(self, at: float) -> dict[str, float]:
        first: dict[str, float] = {}
        channel_of = self.ground.channel_of
        for said in self.ground.listener.records:
            if said.kind == "MessageQueued" and said.at > at and (channel := channel_of.get(said.message_id)):
                first[channel] = min(said.at, first.get(channel, said.at))
        return first
