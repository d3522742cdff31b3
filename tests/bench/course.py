"""The course the outbound benches run on: the real stack, one instance a service, and sinks as processes."""

from __future__ import annotations

import asyncio
import os
import time

from tests.bench.machine import Meter
from tests.chaos.desk import Conversation, Desk
from tests.chaos.history import Accepted
from tests.chaos.http import Answer
from tests.infra.parts import OfParts
from tests.infra.smtp_peer import PeerProcess, spawn
from tests.infra.stack import Stack

AT_ONCE = 50
CHANNELS, CLIENTS = 50, 10
CONTAINED = ("issuer",)


class Course(OfParts):
    """Started once a bench; each desk has 50 channels with ten conversations, submitting to one sink."""

    def __init__(self) -> None:
        super().__init__()
        self.sinks: list[PeerProcess] = []

    async def _start(self) -> None:
        for words in (["--instant"], ["--instant", "--delay-final", "0.2"]):
            self.sinks.append(await spawn(*words))
            self._open.push_async_callback(self.sinks[-1].stop)
        stack = Stack(smtp_ports=[sink.port for sink in self.sinks], chaos=False)
        self.stack = await self._open.enter_async_context(stack)

    @property
    def instant(self) -> PeerProcess:
        """The sink that answers at once."""
        return self.sinks[0]

    @property
    def slow(self) -> PeerProcess:
        """The sink that needs 200 ms for its last reply."""
        return self.sinks[1]

    def meter(self, *beside: int) -> Meter:
        """Counts services, Kafka and mongod; keeps ourselves, the sinks and `beside` out of what others used."""
        pids = self.stack.pids
        ours = [pids.get(name, 0) for name in CONTAINED] + [sink.pid for sink in self.sinks] + list(beside)
        counted = {name: pid for name, pid in pids.items() if name not in CONTAINED}
        return Meter(counted, [*filter(None, ours), os.getpid()])

    async def desk(
        self, sink: PeerProcess, undo_seconds: int, channels: int = CHANNELS, clients: int = CLIENTS
    ) -> Desk:
        """A tenant whose channels submit to `sink`."""
        desk = await Desk.open(self.stack, "Bench", connections=AT_ONCE)
        for n in range(channels):
            await desk.add_channel(sink.port, undo_seconds=undo_seconds, number=n)
        await desk.wait_connected()
        for channel_id in desk.channels:
            await asyncio.gather(*(desk.add_conversation(channel_id, f"client{n}@client.test") for n in range(clients)))
        desk.conversations.sort(key=lambda one: one.client)
        return desk


async def send_all(desk: Desk, number: int, at_once: int = AT_ONCE) -> list[float]:
    """Send `number` messages, `at_once` requests open at a time; the requests' times in seconds."""
    turn, times = iter(range(number)), list[float]()

    async def worker() -> None:
        for n in turn:
            began = time.perf_counter()
            taken(await desk.send(chosen(desk, n)))
            times.append(time.perf_counter() - began)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return times


def chosen(desk: Desk, n: int) -> Conversation:
    """The conversation of the n-th message: channel after channel."""
    return desk.conversations[n % len(desk.conversations)]


def taken(sent: Accepted | Answer) -> Accepted:
    """The message, or an error with the gateway's words."""
    if isinstance(sent, Answer):
        raise RuntimeError(f"not accepted: {sent.status} {sent.body[:300]!r}")
    return sent


async def answered_count(sink: PeerProcess) -> int:
    """How many messages the sink took."""
    return (await sink.client.counts()).get("answered_250", 0)
