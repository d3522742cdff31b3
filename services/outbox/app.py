"""The composition root of the outbox."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import count
from pathlib import Path

from contracts.channel import ChannelChanged
from contracts.limits import SMTP_PORTS
from contracts.tenant import TenantChanged
from services.kit import logs
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.copies import Copies
from services.kit.egress import Egress
from services.kit.ids import uuid7
from services.kit.mongo import Client, connect
from services.kit.owed import MongoOwed
from services.kit.publisher import Publisher
from services.kit.relay import Relay
from services.kit.runtime import Assembly
from services.kit.sealing import Opener
from services.kit.unavailable import Unavailable
from services.outbox.adapters.asyncio_desk import AsyncioDesk
from services.outbox.adapters.composer import MimeComposer
from services.outbox.adapters.indexes import LANES, MESSAGES, STATUSES
from services.outbox.adapters.mongo_clock import MongoClock
from services.outbox.adapters.mongo_lanes import MongoLanes
from services.outbox.adapters.mongo_outbox import MongoMessages
from services.outbox.adapters.mongo_status import MongoStatuses
from services.outbox.adapters.raw_blobs import KeptRaw
from services.outbox.adapters.smtp import SmtpSubmission
from services.outbox.adapters.smtp_client import tls_context
from services.outbox.adapters.smtp_connect import SmtpConnector
from services.outbox.domain.backoff import Backoff
from services.outbox.domain.board import Board, Caps
from services.outbox.handlers.accept_message import AcceptMessage
from services.outbox.handlers.cancel_message import CancelMessage
from services.outbox.handlers.claim_lanes import ClaimLanes
from services.outbox.handlers.commit_message import CommitMessage, DataLimit
from services.outbox.handlers.drive_lanes import DriveLanes
from services.outbox.handlers.expire_messages import ExpireMessages
from services.outbox.handlers.follow_lanes import FollowLanes
from services.outbox.handlers.forget_messages import ForgetMessages
from services.outbox.handlers.hold_lane import HoldLane
from services.outbox.handlers.note_channel import NoteChannel
from services.outbox.handlers.note_tenant import NoteTenant
from services.outbox.handlers.offer_copy import OfferCopy
from services.outbox.handlers.offer_message import OfferMessage
from services.outbox.handlers.prove_channel import ProveChannel
from services.outbox.handlers.record_decision import Record
from services.outbox.handlers.recover_transmissions import RecoverTransmissions
from services.outbox.handlers.release_lanes import ReleaseLanes
from services.outbox.handlers.remove_channel_messages import RemoveChannelMessages
from services.outbox.handlers.renew_lanes import RenewLanes
from services.outbox.handlers.report_smtp import ReportSmtp
from services.outbox.handlers.resolve_message import ResolveMessage
from services.outbox.handlers.restate_status import RestateStatus
from services.outbox.handlers.settle_transmission import SettleTransmission
from services.outbox.handlers.submit_message import SubmitMessage
from services.outbox.handlers.sweep_lanes import SweepLanes
from services.outbox.handlers.take_up import TakeUp
from services.outbox.routes import Handlers, routes
from services.outbox.settings import Settings

NAME = "outbox"
DRAIN_S = 330.0
log = logs.get_logger()


@dataclass(frozen=True)
class World:
    """The adapters, and what is this process's own."""

    settings: Settings
    clock: SystemClock
    database_clock: MongoClock
    store: MongoMessages
    lanes: MongoLanes
    statuses: MongoStatuses
    channels: Copies[ChannelChanged]
    tenants: Copies[TenantChanged]
    blobs: Blobs
    raw: KeptRaw
    submission: SmtpSubmission
    publisher: Publisher
    messages_relay: Relay
    statuses_relay: Relay
    desk: AsyncioDesk

    async def tidy(self) -> None:
        """Close idle connections, hear the database's clock again."""
        await self.submission.close_idle()
        await self.database_clock.sync()

    async def hear_clock(self) -> None:
        """The database's clock, as soon as the database is there."""
        while True:
            try:
                await self.database_clock.sync()
            except Unavailable as error:
                log.warning("database_not_there", reason=str(error))
                await self.clock.sleep(1.0)
            else:
                return


async def build(settings: Settings) -> Assembly:
    """The outbox, composed and not yet started."""
    client = connect(settings.mongo, repeats=False)
    world = _world(settings, client)
    use = compose(world)

    async def stop_taking() -> None:
        world.desk.close()

    async def relayed() -> None:
        await asyncio.gather(world.messages_relay.drain(), world.statuses_relay.drain())

    async def close() -> None:
        await world.submission.close_idle(0.0)
        client.close()

    stop = (close, relayed, use.renew.release.handle, world.desk.finish, stop_taking)
    made, start = routes(use, (world.messages_relay, world.statuses_relay)), (world.hear_clock,)
    return Assembly(NAME, settings, made, world.publisher, on_start=start, on_stop=stop, drain_seconds=DRAIN_S)


def _world(settings: Settings, client: Client) -> World:
    database, clock = client[settings.database(NAME)], SystemClock()
    publisher = Publisher(settings.kafka, f"malote-{NAME}-{settings.instance}", deadline_s=settings.publish_deadline_s)
    blobs = Blobs(client[settings.database("blobs")])
    return World(
        settings, clock, MongoClock(database, clock), MongoMessages(database[MESSAGES]), MongoLanes(database[LANES]),
        MongoStatuses(database[STATUSES]), Copies(database["channels"], ChannelChanged),
        Copies(database["tenants"], TenantChanged), blobs, KeptRaw(blobs, clock),
        SmtpSubmission(_connector(settings), clock), publisher,
        Relay(MongoOwed(database[MESSAGES], NAME), publisher), Relay(MongoOwed(database[STATUSES], NAME), publisher),
        AsyncioDesk(str(uuid7()), Board(Caps(settings.slots, settings.per_tenant, settings.per_host))),
    )  # fmt: skip


def _connector(settings: Settings) -> SmtpConnector:
    allowed = [ip_network(each) for each in settings.egress_allow]
    keys = json.loads(Path(settings.sealing_private).read_text()) if settings.sealing_private else {"keys": []}
    return SmtpConnector(
        Egress(allowed), Opener(keys), tls_context(settings.smtp_ca_file or None),
        SMTP_PORTS | frozenset(settings.smtp_ports), settings.allow_plain_smtp, settings.local_hostname,
    )  # fmt: skip


def compose(world: World) -> Handlers:
    """The use cases on these adapters."""
    record = Record(world.store, world.messages_relay, world.database_clock)
    remove, retry = RemoveChannelMessages(record), Backoff(world.settings.retry_first_s, world.settings.retry_max_s)
    hold = HoldLane(world.desk, world.lanes, world.store, world.channels, world.clock, world.database_clock)
    report = ReportSmtp(
        world.statuses, world.statuses_relay, world.lanes, world.desk, world.database_clock, random.random
    )  # fmt: skip
    prove = ProveChannel(world.channels, world.statuses, world.submission, report)
    tenant = NoteTenant(world.tenants)
    take_up = TakeUp(
        world.desk, record, _submit(world, record, retry), world.submission, world.channels, report, remove, tenant,
        OfferCopy(world.publisher, world.database_clock),
    )  # fmt: skip
    return Handlers(
        accept=AcceptMessage(record, world.channels, MimeComposer(world.blobs), world.raw, OfferMessage(hold)),
        cancel=CancelMessage(record, world.publisher),
        note=NoteChannel(hold, prove, remove, world.publisher),
        tenant=tenant,
        restate=RestateStatus(world.statuses, world.publisher, world.database_clock),
        resolve=ResolveMessage(record),
        drive=DriveLanes(hold, take_up),
        claim=ClaimLanes(hold),
        sweep=SweepLanes(hold),
        renew=RenewLanes(hold, ReleaseLanes(hold)),
        follow=FollowLanes(hold),
        recover=RecoverTransmissions(record, random.random, retry),
        expire=ExpireMessages(record),
        forget=ForgetMessages(record),
        tidy=world.tidy,
    )


def _submit(world: World, record: Record, retry: Backoff) -> SubmitMessage:
    limit = DataLimit(world.settings.data_limit_s, world.settings.data_margin_s)
    settle = SettleTransmission(record, world.clock, random.random, retry)
    commit = CommitMessage(record, world.clock, _stamps(world.desk.owner), limit)
    return SubmitMessage(record, commit, settle, world.raw, world.clock, random.random, retry)


def _stamps(owner: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{owner}/{next(numbers)}"
