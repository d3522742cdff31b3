"""Which mailboxes are watched: assignment, settings, tenants, removal, a stale heartbeat, a watch that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, SealedSecret, Security, Server
from contracts.event import Event, event
from contracts.tenant import TenantChanged
from services.ingest.domain.account import Account, ChannelKey
from services.ingest.handlers import hold_mailboxes
from services.ingest.handlers.assign_shards import AssignShards
from services.ingest.handlers.hold_mailboxes import Desk, HoldMailboxes
from services.ingest.handlers.note_channel import NoteChannel
from services.ingest.handlers.note_tenants import NoteTenants
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.ports import Assignment
from tests.fakes.clock import FakeClock
from tests.fakes.ingest_store import FakeCursors, FakeStatuses
from tests.fakes.publisher import FakePublisher
from tests.unit.ingest.world import CHANNEL, KEY, TENANT, Relay

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Watch:
    """Stands for the watch of a mailbox: notes who is watched, ends when told to."""

    watched: list[Account] = field(default_factory=list)
    now: dict[ChannelKey, asyncio.Event] = field(default_factory=dict)

    async def handle(self, account: Account) -> None:
        """Until ended."""
        self.watched.append(account)
        self.now[account.key] = ended = asyncio.Event()
        try:
            await ended.wait()
        finally:
            if self.now.get(account.key) is ended:
                del self.now[account.key]


@dataclass
class Shards:
    """The Ownership port, and what an assignment is kept in."""

    given: frozenset[int] = frozenset({1})
    beats: bool = True

    def assign(self, given: Assignment) -> None:
        """See Assignable."""
        self.given = given.mine

    def mine(self, key: ChannelKey) -> bool:
        """Every channel is in shard 1."""
        return self.beats and 1 in self.given

    def fresh(self) -> bool:
        """See Ownership."""
        return self.beats


@dataclass(frozen=True)
class Given:
    """The Assignment port."""

    mine: frozenset[int]
    count: int = 8


@dataclass
class Tenants:
    """The Tenants port."""

    off: frozenset[str] = frozenset()

    async def put(self, changed: Event[TenantChanged]) -> bool:
        """See Tenants."""
        self.off = self.off - {changed.tenant} if changed.data.email_enabled else self.off | {changed.tenant}
        return True

    async def switched_off(self) -> frozenset[str]:
        """See Tenants."""
        return self.off


@dataclass
class Scene:
    """The handlers on fakes."""

    watch: Watch
    shards: Shards
    tenants: Tenants
    statuses: FakeStatuses
    publisher: FakePublisher
    clock: FakeClock
    hold: HoldMailboxes
    note: NoteChannel
    assign: AssignShards
    switch: NoteTenants

    async def until(self, watching: bool) -> None:
        """Until the mailbox is watched, or no longer."""
        async with asyncio.timeout(3):
            while (KEY in self.watch.now) != watching:
                await asyncio.sleep(0.002)


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """A replica that reconciles."""
    monkeypatch.setattr(hold_mailboxes, "LOOK_S", 0.01)
    watch, shards, tenants, statuses, publisher = Watch(), Shards(), Tenants(), FakeStatuses(), FakePublisher()
    clock = FakeClock()
    report = ReportImap(statuses, Relay(), publisher, clock, lambda: 0.5)
    as_watch: Any = watch
    hold = HoldMailboxes(as_watch, report, shards, clock, lambda: 0.5, Desk())
    made = Scene(
        watch, shards, tenants, statuses, publisher, clock, hold, NoteChannel(hold, FakeCursors()),
        AssignShards(hold, shards), NoteTenants(tenants, hold),
    )  # fmt: skip
    turning = asyncio.create_task(hold.handle())
    yield made
    await hold.close()
    await turning


def channel(version: int, *, removed: bool = False, **changes: Any) -> Event[ChannelChanged]:
    """The channel at this version."""
    server = Server(host="imap.acme.test", port=993, security=Security.TLS, user_name=changes.pop("user_name", "desk"))
    settings = ChannelSettings(name=changes.pop("name", "Desk"), address="desk@acme.test", imap=server, smtp=server)
    sealed = Credentials() if removed else Credentials(imap=SealedSecret(jwe="x", sealed_version=1))
    data = ChannelChanged(
        version=version, request_id=None, channel_id=CHANNEL, settings=settings, credentials=sealed, created_at=NOW,
        changed_at=NOW, removed=removed, **changes,
    )  # fmt: skip
    return event(TENANT, data, at=NOW, source="config")


async def test_a_channel_of_our_shards_is_watched(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    assert scene.watch.watched[0].host == "imap.acme.test"


async def test_an_older_record_and_another_name_change_nothing(scene: Scene) -> None:
    await scene.note.handle(channel(2))
    await scene.until(watching=True)
    await scene.note.handle(channel(1, user_name="old"))
    await scene.note.handle(channel(3, name="Other"))
    await asyncio.sleep(0.05)
    assert len(scene.watch.watched) == 1


@pytest.mark.parametrize("changes", [{"user_name": "other"}, {"reconnect_seq": 1}])
async def test_another_login_or_a_wish_to_reconnect_connects_anew(scene: Scene, changes: dict[str, Any]) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    await scene.note.handle(channel(2, **changes))
    async with asyncio.timeout(3):
        while len(scene.watch.watched) < 2:
            await asyncio.sleep(0.002)
    await scene.until(watching=True)


async def test_a_removed_channel_is_closed_and_its_status_goes(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    await scene.hold.report.handle(scene.watch.watched[0])
    await scene.note.handle(channel(2, removed=True))
    assert KEY not in scene.watch.now
    assert scene.publisher.forgotten == [("mail.channel-status.v1", TENANT, f"{CHANNEL}/imap")]
    assert scene.statuses.statuses == {}
    await scene.note.handle(channel(2, removed=True))
    assert len(scene.publisher.forgotten) == 1, "a replay says it once"


async def test_shards_are_kept_until_they_are_another_ones(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    await scene.assign.handle(Given(frozenset({1, 2})))
    await asyncio.sleep(0.05)
    assert len(scene.watch.watched) == 1
    await scene.assign.handle(Given(frozenset({2})))
    await scene.until(watching=False)
    await scene.assign.handle(Given(frozenset({1})))
    await scene.note.handle(channel(1))
    await scene.until(watching=True)


async def test_without_a_heartbeat_nothing_is_watched(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    scene.shards.beats = False
    await scene.until(watching=False)
    scene.shards.beats = True
    await scene.until(watching=True)


async def test_a_watch_that_ends_by_itself_rests_and_begins_again(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    scene.watch.now[KEY].set()
    await scene.until(watching=False)
    await asyncio.sleep(0.05)
    assert len(scene.watch.watched) == 1
    scene.clock.advance(hold_mailboxes.REST_S + hold_mailboxes.RECONCILE_S)
    await scene.until(watching=True)


async def test_a_watch_that_gets_nowhere_is_begun_anew(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    scene.hold.report.working.add(KEY)
    scene.clock.advance(hold_mailboxes.STALLED_S + 1)
    async with asyncio.timeout(3):
        while len(scene.watch.watched) < 2:
            await asyncio.sleep(0.002)


async def test_a_tenant_that_is_switched_off_is_not_watched_and_told_so(scene: Scene) -> None:
    await scene.note.handle(channel(1))
    await scene.until(watching=True)
    await scene.hold.report.handle(scene.watch.watched[0])
    tenant = TenantChanged(request_id=CHANNEL, name="Acme", email_enabled=False, max_channels=1)
    await scene.switch.handle(event(TENANT, tenant, at=NOW, source="config"))
    await scene.until(watching=False)
    async with asyncio.timeout(3):
        while scene.statuses.states()[-1] != "disabled/not_watched":
            await asyncio.sleep(0.002)
    on = tenant.model_copy(update={"email_enabled": True, "version": 2})
    await scene.switch.handle(event(TENANT, on, at=NOW, source="config"))
    await scene.until(watching=True)
    wait = await scene.hold.report.handle(replace(scene.watch.watched[-1]))
    assert (wait, scene.statuses.states()[-1]) == (0.0, "connecting/settings_changed")
