"""The world of one seed: the store and its clock, Kafka's deliveries, two replicas, the peer, and the faults."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from contracts.event import AnyEvent
from contracts.outbound import FailureReason, MessageFailed
from services.kit.unavailable import Unavailable
from services.outbox.domain.document import Message
from services.outbox.ports import Rendered
from tests.fakes import outbox_filters
from tests.fakes.outbox_store import FakeDatabaseClock, FakeMessages, Fate
from tests.model import events
from tests.model.replica import Replica
from tests.model.scheduler import Scheduler, step
from tests.model.story import START, TENANT, Story
from tests.model.witness import Witness

STRIDES = (0.001, 0.4, 1.0, 3.0, 4.9, 5.1, 6.9, 7.1, 13.0, 61.0)


class World:
    """Everything outside the handlers; also their Clock and Publishes."""

    def __init__(self, told: Story) -> None:
        self.story = told
        self.chance = random.Random(told.seed * 7919 + 1)
        self.clock = FakeDatabaseClock(START)
        self.store = FakeMessages(self.clock, step, self._fate)
        self.scheduler = Scheduler(self.chance)
        self.witness = Witness(told)
        self.channel_id = events.CHANNEL_ID
        self.channels: Any = SimpleNamespace(at_least=self._channel)
        self.composer: Any = SimpleNamespace(render=self._render)
        self.blobs: Any = SimpleNamespace()
        self.ended = ""
        self.pending = 0
        self._sessions = 0
        self.replicas = [Replica(self, 0), Replica(self, 1)]

    def begin(self) -> None:
        """Start the loops and put every event on its way."""
        for number in (0, 1):
            self._boot(number)
        for _ in range(self.story.deliveries):
            self.send("composed", events.composed(self.story), lambda r: r.accept.handle)
        for wish in self.story.wishes:
            for _ in range(wish.deliveries):
                self.send("cancel", events.cancel(self.story, wish), lambda r: r.cancel.handle)

    def send(self, name: str, event: Any, pick: Callable[[Replica], Callable[[Any], Awaitable[None]]]) -> None:
        """A record that Kafka delivers until it is handled: redelivered after a crash or Unavailable."""
        self.pending += 1
        delay = self.chance.randrange(self.chance.choice((10, 60, 200)))
        self.scheduler.start(f"kafka {name}", None, self._deliver(name, event, pick, delay))

    async def _deliver(self, name: str, event: Any, pick: Any, delay: int) -> None:
        for _ in range(delay):
            await step("on its way")
        done: list[bool] = []
        while not done:
            number = self.chance.randrange(2)
            alive = self.replicas[number]
            ended: list[bool] = []
            self.scheduler.start(f"r{number} {name}", number, self._handle(pick(alive), event, done, ended))
            while not ended and self.replicas[number] is alive:
                await step("is handled")
        self.pending -= 1

    async def _handle(self, handle: Any, event: Any, done: list[bool], ended: list[bool]) -> None:
        await step("takes the event")
        try:
            await handle(event)
            done.append(True)
        except Unavailable:
            pass
        ended.append(True)

    def _boot(self, number: int) -> None:
        replica = self.replicas[number] = Replica(self, number)
        for name, loop in (("lane", replica.lane()), ("sweeps", replica.sweeps()), ("relay", self._relay(replica))):
            self.scheduler.start(f"r{number} {name}", number, loop)

    async def _relay(self, replica: Replica) -> None:
        """Publishes what documents owe, in order; a crash repeats."""
        while True:
            await step("relay looks")
            for name, owed in list(self.store.owed.items()):
                for event in list(owed):
                    await step("relay publishes")
                    self.witness.published(event)
                    self._seek(event)
                    replica.hands.acknowledged.setdefault(name, []).append(event.id)
                    await step("relay pulls")
                    self.store.owed[name] = [each for each in self.store.owed[name] if each.id != event.id]
                    replica.hands.acknowledged[name].remove(event.id)

    # --- the Sent mailbox ---

    def took(self, tenant: str, to: tuple[str, ...]) -> None:
        """The peer has the message; a provider that files what it takes does so."""
        self.witness.taken(tenant, to)
        self.witness.filed = self.witness.filed or self.story.files

    def find(self) -> None:
        """Somebody comes upon the copy, whatever became of the message."""
        self.send("found", events.found(self.story), lambda r: r.resolve.handle)

    def _seek(self, event: AnyEvent) -> None:
        """Ingest looks for the copy of a parked message; that there is none is told to nobody."""
        said = event.data
        if isinstance(said, MessageFailed) and said.reason is FailureReason.OUTCOME_UNKNOWN and self.witness.filed:
            self.witness.sought = True
            self.find()

    # --- the faults ---

    def crash(self) -> None:
        """A replica is gone, a new one takes its place."""
        number = self.chance.randrange(2)
        self.scheduler.asleep.discard(number)
        self.scheduler.kill(number)
        self._boot(number)

    def advance(self, seconds: float) -> None:
        """Time passes; what was being transmitted past its time is in doubt."""
        self.clock.advance(seconds)
        for message in self.store.documents.values():
            if message.transmission and message.transmission.until < self.clock.moment:
                self.witness.lapsed(message)

    def spend(self, kind: str, likely: float) -> bool:
        """Whether a fault of this kind happens now."""
        left = getattr(self.story.budget, kind)
        if left <= 0 or self.chance.random() >= likely:
            return False
        setattr(self.story.budget, kind, left - 1)
        return True

    def _fate(self, label: str) -> Fate:
        if not self.spend("unanswered", 0.3 if label == "commit" else 0.08):
            return Fate.DONE
        return self.chance.choice((Fate.LOST_DONE, Fate.LOST_UNDONE, Fate.LOST_LATER))

    # --- Clock, Publishes, and small ports ---

    def monotonic(self) -> float:
        """The replicas' monotonic clock: the same time."""
        return (self.clock.moment - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Others go on; how much time passes is the schedule's affair."""
        await step("sleeps a little")

    def now(self) -> datetime:
        """The wall clock."""
        return self.clock.moment

    async def publish(self, event: AnyEvent) -> None:
        """To Kafka, now or never."""
        await step("publishes")
        lost = self.spend("publish", 0.3)
        if not lost or self.chance.random() < 0.5:
            self.witness.published(event)
        if lost:
            raise Unavailable("Kafka did not answer")

    async def forget(self, topic: object, tenant: str, key: str) -> None:
        """Not needed here."""

    async def _channel(self, tenant: str, subject: str, version: int) -> Any:
        return events.channel(resend=self.story.resend)

    async def _render(self, tenant: str, message: object) -> Rendered:
        return Rendered(b"hello\r\n", "00")

    def half(self) -> float:
        """No jitter."""
        return 0.5

    def soon(self) -> datetime:
        """A lane looks a little ahead."""
        return self.clock.moment + timedelta(milliseconds=1)

    def next_session(self) -> int:
        """A number nobody else has."""
        self._sessions += 1
        return self._sessions

    def document(self, tenant: str = TENANT) -> Message | None:
        """The message as it stands."""
        return self.store.documents.get(outbox_filters.key(tenant, self.story.message_id))

    def holds_wish(self, tenant: str) -> bool:
        """Whether it holds a wish."""
        message = self.document(tenant)
        return bool(message and message.held_cancels)

    def note(self, text: str) -> None:
        """Worth reading in a trace."""
        self.scheduler.trace.append(text)
