"""The outbox's handlers on fakes: one replica, or two on the same store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from contracts.channel import ChannelChanged, ChannelSettings, Credentials, Security, Server
from contracts.conversation import Correspondent
from contracts.event import AnyEvent, Event, event
from contracts.message import CancelRequested, MessageComposed, SignatureUsed
from contracts.signature import Why
from contracts.tenant import TenantChanged
from services.outbox.adapters.asyncio_desk import AsyncioDesk
from services.outbox.domain.backoff import Backoff
from services.outbox.domain.board import Board
from services.outbox.handlers.accept_message import AcceptMessage
from services.outbox.handlers.cancel_message import CancelMessage
from services.outbox.handlers.commit_message import CommitMessage, DataLimit
from services.outbox.handlers.drive_lanes import DriveLanes
from services.outbox.handlers.hold_lane import HoldLane
from services.outbox.handlers.note_channel import NoteChannel
from services.outbox.handlers.note_tenant import NoteTenant
from services.outbox.handlers.offer_message import OfferMessage
from services.outbox.handlers.prove_channel import ProveChannel
from services.outbox.handlers.record_decision import Record
from services.outbox.handlers.release_lanes import ReleaseLanes
from services.outbox.handlers.remove_channel_messages import RemoveChannelMessages
from services.outbox.handlers.renew_lanes import RenewLanes
from services.outbox.handlers.report_smtp import ReportSmtp
from services.outbox.handlers.settle_transmission import SettleTransmission
from services.outbox.handlers.submit_message import SubmitMessage
from services.outbox.handlers.sweep_lanes import SweepLanes
from services.outbox.handlers.take_up import TakeUp
from services.outbox.ports import Rendered
from tests.fakes.clock import FakeClock
from tests.fakes.outbox_lanes import FakeLanes, FakeStatuses
from tests.fakes.outbox_smtp import ScriptedSubmission
from tests.fakes.outbox_store import FakeDatabaseClock, FakeMessages
from tests.fakes.publisher import FakePublisher
from tests.model.story import minted
from tests.unit.outbox.made import CHANNEL, CONVERSATION, NOW, TENANT, A


class Hands:
    """A relay that remembers."""

    def __init__(self) -> None:
        self.told: list[AnyEvent] = []

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Remember."""
        self.told += events

    def spoken(self, doc_id: str) -> Collection[str]:
        """Nothing is acknowledged here."""
        return ()

    @property
    def kinds(self) -> list[str]:
        """The types in order."""
        return [each.type for each in self.told]


class FakeChannels:
    """Channels in a dict."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], ChannelChanged] = {}

    async def put(self, it: Event[ChannelChanged]) -> bool:
        """Keep the newest."""
        known = self.held.get((it.tenant, it.subject))
        if known is not None and known.version >= it.data.version:
            return False
        self.held[it.tenant, it.subject] = it.data
        return True

    async def get(self, tenant: str, subject: str) -> ChannelChanged | None:
        """As kept."""
        return self.held.get((tenant, subject))

    async def at_least(self, tenant: str, subject: str, version: int) -> ChannelChanged:
        """As kept."""
        return self.held[tenant, subject]

    async def drop(self, tenant: str, subject: str) -> None:
        """Gone."""
        self.held.pop((tenant, subject), None)


class FakeTenants:
    """Tenants in a dict."""

    def __init__(self) -> None:
        self.held: dict[str, TenantChanged] = {}

    async def put(self, it: Event[TenantChanged]) -> bool:
        """Keep it."""
        self.held[it.tenant] = it.data
        return True

    async def get(self, tenant: str, subject: str) -> TenantChanged | None:
        """As kept."""
        return self.held.get(tenant)


class Composer:
    """Renders the subject."""

    async def render(self, tenant: str, message: MessageComposed) -> Rendered:
        """As small as can be."""
        return Rendered(message.subject.encode() + b"\r\n", "0" * 64)


class World:
    """What replicas share."""

    def __init__(self) -> None:
        self.time, self.database_clock = FakeClock(NOW), FakeDatabaseClock(NOW)
        self.store, self.lanes = FakeMessages(self.database_clock), FakeLanes(self.database_clock)
        self.statuses, self.channels, self.tenants = FakeStatuses(), FakeChannels(), FakeTenants()
        self.publisher, self.hands = FakePublisher(), Hands()
        self.submission = ScriptedSubmission()
        self.channels.held[TENANT, CHANNEL] = channel()

    def advance(self, seconds: float) -> None:
        """All clocks."""
        self.time.advance(seconds)
        self.database_clock.advance(seconds)


class Replica:
    """One replica's handlers."""

    def __init__(self, world: World, owner: str = "r0") -> None:
        numbers, retry, time = count(1), Backoff(60, 3600), world.time
        blobs: Any = None
        self.desk = AsyncioDesk(owner, Board())
        self.record = Record(world.store, world.hands, world.database_clock)
        remove = RemoveChannelMessages(self.record)
        self.hold = HoldLane(self.desk, world.lanes, world.store, world.channels, time, world.database_clock)
        self.report = ReportSmtp(world.statuses, world.hands, world.lanes, self.desk, world.database_clock, half)
        self.commit = CommitMessage(self.record, time, lambda: f"{owner}/{next(numbers)}", DataLimit())
        settle = SettleTransmission(self.record, time, half, retry)
        self.submit = SubmitMessage(self.record, self.commit, settle, blobs, time, half, retry)
        self.take_up = TakeUp(
            self.desk, self.record, self.submit, world.submission, world.channels, self.report, remove,
            NoteTenant(world.tenants),
        )  # fmt: skip
        self.drive = DriveLanes(self.hold, self.take_up)
        self.accept = AcceptMessage(self.record, world.channels, Composer(), blobs, OfferMessage(self.hold))
        self.cancel = CancelMessage(self.record, world.publisher)
        prove = ProveChannel(world.channels, world.statuses, world.submission, self.report)
        self.note = NoteChannel(self.hold, prove, remove, world.publisher)
        self.sweep = SweepLanes(self.hold)
        self.renew = RenewLanes(self.hold, ReleaseLanes(self.hold))


def half() -> float:
    """No jitter."""
    return 0.5


def channel(version: int = 1, **changes: Any) -> ChannelChanged:
    """A channel; ``settings`` may be changed by name."""
    server = Server(host="smtp.example.com", port=587, security=Security.STARTTLS, user_name="desk")
    settings = ChannelSettings(name="Desk", address="desk@example.com", imap=server, smtp=server)
    known = ("removed", "reconnect_seq")
    return ChannelChanged(
        version=version, request_id=None, channel_id=CHANNEL, credentials=Credentials(), created_at=NOW, changed_at=NOW,
        settings=settings.model_copy(update={name: it for name, it in changes.items() if name not in known}),
        **{name: it for name, it in changes.items() if name in known},
    )  # fmt: skip


def composed(number: int = 1, *to: str, undo: int = 0, at: datetime = NOW, **changes: Any) -> Event[MessageComposed]:
    """A message of its own conversation."""
    data = MessageComposed(
        message_id=minted(at, number), conversation_id=CONVERSATION, channel_id=CHANNEL, channel_version=1,
        operator_id=None, operator_version=None, requested_by="ana", internet_message_id=f"<{number}@example.com>",
        to=tuple(Correspondent(address=each) for each in to or (A,)), subject=f"Hello {number}", text="Hello",
        undo_seconds=undo, accepted_at=at, expires_at=at + timedelta(hours=24),
        sender=Correspondent(address="desk@example.com"), signature=SignatureUsed(why=Why.NONE),
    )  # fmt: skip
    return event(TENANT, data.model_copy(update=changes), at=at, source="signature")


def wish(message_id: str, number: int = 50, tenant: str = TENANT) -> Event[CancelRequested]:
    """A cancel."""
    data = CancelRequested(
        message_id=message_id, cancel_id=minted(NOW, number), requested_by="ana", requested_at=NOW,
    )  # fmt: skip
    return event(tenant, data, at=NOW, source="gateway")
