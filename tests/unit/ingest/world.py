"""Ingest's watch over fakes: what lasts (server, stores, topic) and processes that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from contracts.event import AnyEvent
from contracts.threading import Keyring
from services.ingest.adapters.budgets import Limits, ReplicaBudgets
from services.ingest.domain.account import Account
from services.ingest.handlers.announce_slice import AnnounceSlice
from services.ingest.handlers.connect_mailbox import ConnectMailbox
from services.ingest.handlers.fetch_slices import FetchSlices
from services.ingest.handlers.read_parts import ReadParts
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.handlers.resolve_mails import ResolveMails
from services.ingest.handlers.select_mailbox import SelectMailbox
from services.ingest.handlers.take_slices import TakeSlices
from services.ingest.handlers.tell_slice import TellSlice
from services.ingest.handlers.watch_mailbox import WatchMailbox
from tests.fakes.clock import FakeClock
from tests.fakes.ingest_mailbox import FakeParser, FakeServer, Gate
from tests.fakes.ingest_store import FakeCursors, FakeLedger, FakeOwnMails, FakeParticipants, FakeRaw, FakeStatuses
from tests.fakes.publisher import FakePublisher

TENANT = "0195a000-0000-7000-8000-000000000001"
CHANNEL = "0195a000-0000-7000-8000-000000000002"
KEY = (TENANT, CHANNEL)
RING = Keyring("k1", {"k1": b"k" * 32})
ACCOUNT = Account(TENANT, CHANNEL, 1, "desk@acme.test", "imap.acme.test", 993, "tls", "desk")


class Relay:
    """The Hands port: hands straight to nobody; the status store remembers what was told."""

    def hand_over(self, doc_id: str, events: Iterable[AnyEvent]) -> None:
        """See Hands."""


@dataclass
class World:
    """What outlasts a process."""

    server: FakeServer = field(default_factory=FakeServer)
    cursors: FakeCursors = field(default_factory=FakeCursors)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    statuses: FakeStatuses = field(default_factory=FakeStatuses)
    raw: FakeRaw = field(default_factory=FakeRaw)
    own_mails: FakeOwnMails = field(default_factory=FakeOwnMails)
    participants: FakeParticipants = field(default_factory=FakeParticipants)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    parser: FakeParser = field(default_factory=FakeParser)
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def mails(self) -> list[Any]:
        """The data of the events about mails, in order."""
        return [each.data for each in self.publisher.published if each.type != "MailboxReset"]

    @property
    def resets(self) -> list[Any]:
        """The data of the resets told."""
        return [each.data for each in self.publisher.published if each.type == "MailboxReset"]

    def subjects(self) -> list[str]:
        """The subjects announced, in order."""
        return [each.subject for each in self.mails if hasattr(each, "subject")]

    def identities(self) -> set[tuple[str, str]]:
        """Each (content, message_id) pair that was ever told."""
        return {(each.sha256, each.message_id) for each in self.mails}


class OneByOne:
    """The topics, with a step before and after each event: a slice may be published in part."""

    def __init__(self, publisher: FakePublisher, gate: Gate) -> None:
        self._publisher, self._gate = publisher, gate
        self.forget = publisher.forget

    async def publish(self, event: AnyEvent) -> None:
        """See Publishes."""
        await self._gate.step()
        await self._publisher.publish(event)
        await self._gate.step()

    async def publish_all(self, events: Iterable[AnyEvent]) -> None:
        """See Publisher."""
        for event in events:
            await self.publish(event)


class Process:
    """One process that watches the mailbox."""

    def __init__(self, world: World, stop_at: int | None = None, limits: Limits | None = None) -> None:
        self.world, self.gate = world, Gate(stop_at)
        self.watch = compose(world, self.gate, limits or Limits())
        self.task: asyncio.Task[None] | None = None

    def also(self, account: Account) -> asyncio.Task[None]:
        """Watch another mailbox of the same server beside it."""
        return asyncio.create_task(self.watch.handle(account))

    def start(self, account: Account = ACCOUNT) -> Process:
        """Begin to watch."""
        self.task = asyncio.create_task(self.watch.handle(account))
        return self

    async def kill(self) -> None:
        """It is gone: nothing it was about to do happens."""
        self.gate.stopped.set()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task is self.task or task.get_coro().__qualname__.startswith(("WatchMailbox", "TakeSlices")):  # type: ignore[union-attr]
                task.cancel()
        await asyncio.sleep(0)
        for session in list(self.world.server.sessions):
            await session.close()

    async def until(self, holds: Callable[[], bool], seconds: float = 5) -> None:
        """Let it work until this holds."""
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.001)
                if self.task is not None and self.task.done() and not self.task.cancelled():
                    self.task.result()


def compose(world: World, gate: Gate, limits: Limits) -> WatchMailbox:
    """The use cases on the fakes, each behind the gate of this process."""
    cursors, ledger = gate.around(world.cursors), gate.around(world.ledger)
    publisher = OneByOne(world.publisher, gate)
    raw, clock = gate.around(world.raw), world.clock
    budgets = ReplicaBudgets(clock, limits)
    report = ReportImap(world.statuses, Relay(), publisher, clock, lambda: 0.5)
    announce = AnnounceSlice(
        raw, world.parser, ledger, cursors, ResolveMails(ledger, world.own_mails, RING, raw), world.participants,
        TellSlice(raw, publisher, clock),
    )  # fmt: skip
    return WatchMailbox(
        ConnectMailbox(world.server, budgets, report), cursors, budgets, SelectMailbox(cursors, clock),
        FetchSlices(budgets, clock, timedelta(days=300), ReadParts(raw, clock)),
        TakeSlices(announce, clock, lambda: 0.5),
        report, clock, lambda: 0.5, "owner",
    )  # fmt: skip
