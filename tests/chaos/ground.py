"""The ground a chaos run plays on: the real stack, a recording peer, a tenant's desk, a stranger's, and two ears."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.chaos.cancels import Cancels
from tests.chaos.desk import Desk
from tests.chaos.history import History, Spoken
from tests.chaos.listening import Listener
from tests.chaos.reading import transmissions
from tests.chaos.verdict import FINAL
from tests.infra.parts import OfParts
from tests.infra.smtp_peer import PeerProcess, Rule, spawn
from tests.infra.stack import Stack

SHORT = {
    "MALOTE_DATA_LIMIT_S": "5",
    "MALOTE_DATA_MARGIN_S": "2",
    "MALOTE_RETRY_FIRST_S": "2",
    "MALOTE_RETRY_MAX_S": "8",
}
EVIDENCE = Path(".local/chaos")


class Ground(OfParts):
    """Everything a run needs, started together; `history` grows while it goes on."""

    def __init__(
        self, replicas: Mapping[str, int], rules: Iterable[Rule] = (), delays: Mapping[str, float] | None = None
    ) -> None:
        super().__init__()
        self._replicas, self._rules, self._delays = replicas, tuple(rules), dict(delays or {})
        self.history = History()
        self.channel_of: dict[str, str] = {}
        self._queued: dict[str, asyncio.Future[Spoken]] = {}
        self._final: dict[str, asyncio.Future[Spoken]] = {}

    async def _start(self) -> None:
        self.peer: PeerProcess = await spawn("--settings", json.dumps({"delays": self._delays}), rules=self._rules)
        self._open.push_async_callback(self.peer.stop)
        stack = Stack(self._replicas, env=SHORT, smtp_ports=[self.peer.port])
        self.stack = await self._open.enter_async_context(stack)
        self.listener = await self._open.enter_async_context(Listener(self.stack.kafka))
        self.listener.calls.append(self._hear)
        self.cancels = await self._open.enter_async_context(Cancels(self.stack.kafka))
        self.desk, self.stranger = await Desk.open(self.stack, "Chaos"), await Desk.open(self.stack, "Stranger")

    async def open_channels(
        self, number: int, clients: Iterable[str], *, undo_seconds: int, connections: int = 4
    ) -> None:
        """Channels that submit to the peer, each with one conversation per client."""
        names = tuple(clients)
        for n in range(number):
            await self.desk.add_channel(self.peer.port, undo_seconds=undo_seconds, connections=connections, number=n)
        await self.desk.wait_connected()
        for n, channel_id in enumerate(self.desk.channels):
            await asyncio.gather(*(self.desk.add_conversation(channel_id, f"{name}-{n}@client.test") for name in names))

    def queued(self, message_id: str) -> asyncio.Future[Spoken]:
        """Resolves with the message's first `MessageQueued`."""
        return self._queued.setdefault(message_id, asyncio.get_running_loop().create_future())

    def final(self, message_id: str) -> asyncio.Future[Spoken]:
        """Resolves with the message's first final event."""
        return self._final.setdefault(message_id, asyncio.get_running_loop().create_future())

    def _hear(self, said: Spoken) -> None:
        kinds = [self.queued] if said.kind == "MessageQueued" else [self.final] if said.kind in FINAL else []
        for waiting in kinds:
            future = waiting(said.message_id)
            if not future.done():
                future.set_result(said)

    async def come_to_rest(self, within_s: float) -> None:
        """Wait until every accepted message ended and every own wish was answered, or time runs out; collect."""
        limit = time.monotonic() + within_s
        while self._open_ends() and time.monotonic() < limit:
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)  # a second answer or a second copy would come about now
        self.history.spoken = list(self.listener.records)
        self.history.taken = transmissions(await self.peer.client.history())

    def _open_ends(self) -> int:
        answered = {said.cancel_id for said in self.listener.records if said.cancel_id}
        wished = [wish for wish in self.history.wishes if wish.cancel_id and not wish.foreign]
        open_messages = sum(not self.final(one.message_id).done() for one in self.history.accepted)
        return open_messages + sum(wish.cancel_id not in answered for wish in wished)

    def save(self, name: str) -> Path:
        """Keep the history as evidence; returns where."""
        EVIDENCE.mkdir(parents=True, exist_ok=True)
        self.history.save(EVIDENCE / f"{name}.jsonl")
        return EVIDENCE / f"{name}.jsonl"
