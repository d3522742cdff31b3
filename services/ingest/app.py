"""The composition root of ingest."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

from contracts.conversation import ConversationChanged
from contracts.limits import IMAP_PORTS
from contracts.threading import Keyring
from services.ingest.adapters.budgets import Limits, ReplicaBudgets
from services.ingest.adapters.child_parser import ChildParser, pool
from services.ingest.adapters.imap import ImapMailboxes
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.imap_tls import tls_context
from services.ingest.adapters.indexes import CONVERSATIONS, COPIES, CURSORS, LEDGER, OWN_MAILS, STATUSES, TENANTS
from services.ingest.adapters.kafka_shards import KafkaShards
from services.ingest.adapters.memory import Memory
from services.ingest.adapters.mongo_copies import MongoCopies
from services.ingest.adapters.mongo_cursors import MongoCursors
from services.ingest.adapters.mongo_ledger import MongoLedger
from services.ingest.adapters.mongo_own import MongoOwnMails, MongoParticipants, MongoTenants
from services.ingest.adapters.mongo_raw import MongoRaw
from services.ingest.adapters.mongo_statuses import MongoStatuses
from services.ingest.handlers.announce_slice import AnnounceSlice
from services.ingest.handlers.assign_shards import AssignShards
from services.ingest.handlers.connect_mailbox import ConnectMailbox
from services.ingest.handlers.doubt_statuses import DoubtStatuses
from services.ingest.handlers.fetch_slices import FetchSlices
from services.ingest.handlers.file_copies import FileCopies
from services.ingest.handlers.hold_mailboxes import Desk, HoldMailboxes
from services.ingest.handlers.note_channel import NoteChannel
from services.ingest.handlers.note_copy import NoteCopy
from services.ingest.handlers.note_message import NoteMessage
from services.ingest.handlers.note_tenants import NoteTenants
from services.ingest.handlers.read_parts import ReadParts
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.handlers.resolve_mails import ResolveMails
from services.ingest.handlers.restate_status import RestateStatus
from services.ingest.handlers.seek_copy import SeekCopy
from services.ingest.handlers.select_mailbox import SelectMailbox
from services.ingest.handlers.take_slices import TakeSlices
from services.ingest.handlers.tell_slice import TellSlice
from services.ingest.handlers.watch_mailbox import WatchMailbox
from services.ingest.routes import Handlers, routes
from services.ingest.settings import Settings
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.copies import Copies
from services.kit.egress import Egress
from services.kit.ids import uuid7
from services.kit.mongo import Client, Database, connect
from services.kit.owed import MongoOwed
from services.kit.publisher import Publisher
from services.kit.relay import Relay
from services.kit.runtime import Assembly
from services.kit.sealing import Opener

NAME = "ingest"
DRAIN_S = 20.0


@dataclass(frozen=True)
class World:
    """The adapters, and what is this process's own."""

    settings: Settings
    client: Client
    clock: SystemClock
    database: Database
    raw: MongoRaw
    cursors: MongoCursors
    statuses: MongoStatuses
    parser: ChildParser
    publisher: Publisher
    relay: Relay
    shards: KafkaShards


async def build(settings: Settings) -> Assembly:
    """Ingest, composed and not yet started."""
    client = connect(settings.mongo, repeats=False)  # a slice is taken again anyway, with the same identities
    world = _world(settings, client)
    use = compose(world)

    async def close() -> None:
        client.close()

    return Assembly(
        NAME, settings, routes(use, world.relay), world.publisher, on_start=(world.parser.start,),
        on_stop=(close, world.parser.close, world.relay.drain, use.hold.close), drain_seconds=DRAIN_S,
    )  # fmt: skip


def _world(settings: Settings, client: Client) -> World:
    database, clock = client[settings.database(NAME)], SystemClock()
    publisher = Publisher(settings.kafka, f"malote-{NAME}-{settings.instance}", deadline_s=settings.publish_deadline_s)
    raw = MongoRaw(client[settings.database("blobs")], clock, timedelta(days=settings.inbound_days))
    return World(
        settings, client, clock, database, raw, MongoCursors(database[CURSORS]), MongoStatuses(database[STATUSES]),
        ChildParser(pool(size=settings.parsers)), publisher, Relay(MongoOwed(database[STATUSES], NAME), publisher),
        KafkaShards(settings.session_timeout_s),
    )  # fmt: skip


def compose(world: World) -> Handlers:
    """The use cases on these adapters."""
    conversations = Copies(world.database[CONVERSATIONS], ConversationChanged)
    life = timedelta(days=world.settings.inbound_days)
    own_mails = MongoOwnMails(world.database[OWN_MAILS], world.clock, life)
    report = ReportImap(world.statuses, world.relay, world.publisher, world.clock, random.random)
    settings = world.settings
    limits = Limits(
        settings.logins_per_s, settings.logins_at_once, settings.connections_per_host, octets=settings.memory_mb << 20
    )
    budgets = ReplicaBudgets(world.clock, limits)
    mailboxes = _mailboxes(settings)
    copies = MongoCopies(world.database[COPIES], Blobs(world.client[settings.database("blobs")]))
    watch = _watch(world, own_mails, report, budgets, mailboxes)
    hold = HoldMailboxes(watch, report, world.shards, world.clock, random.random, Desk())
    return Handlers(
        hold=hold,
        assign=AssignShards(hold, world.shards),
        note=NoteChannel(hold, world.cursors),
        tenants=NoteTenants(MongoTenants(world.database[TENANTS]), hold),
        message=NoteMessage(own_mails),
        copy=NoteCopy(copies, world.clock),
        seek=SeekCopy(copies, own_mails, world.clock),
        file=FileCopies(copies, mailboxes, budgets, hold, world.clock, world.publisher),
        restate=RestateStatus(world.statuses, world.publisher, world.clock),
        doubt=DoubtStatuses(world.statuses, world.relay, world.clock),
        keep=conversations.put,
        lose=conversations.drop,
        trim=Memory(budgets.released).trim,
    )


def _watch(
    world: World, own_mails: MongoOwnMails, report: ReportImap, budgets: ReplicaBudgets, mailboxes: ImapMailboxes
) -> WatchMailbox:
    settings, clock, cursors = world.settings, world.clock, world.cursors
    memory = timedelta(days=settings.ledger_days)
    ledger = MongoLedger(world.database[LEDGER], clock, memory)
    resolve = ResolveMails(ledger, own_mails, _keyring(settings.threading_keys), world.raw)
    announce = AnnounceSlice(
        world.raw, world.parser, ledger, cursors, resolve,
        MongoParticipants(world.database[CONVERSATIONS]), TellSlice(world.raw, world.publisher, clock),
    )  # fmt: skip
    return WatchMailbox(
        ConnectMailbox(mailboxes, budgets, report), cursors, budgets, SelectMailbox(cursors, clock),
        FetchSlices(budgets, clock, memory - timedelta(days=1), ReadParts(world.raw, clock)),
        TakeSlices(announce, clock, random.random),
        report, clock, random.random,
        f"{settings.instance}/{uuid7()}",
    )  # fmt: skip


def _mailboxes(settings: Settings) -> ImapMailboxes:
    allowed = [ip_network(each) for each in settings.egress_allow]
    keys = json.loads(Path(settings.sealing_private).read_text()) if settings.sealing_private else {"keys": []}
    return ImapMailboxes(
        Egress(allowed), Opener(keys), tls_context(settings.imap_ca_file or None),
        IMAP_PORTS | frozenset(settings.imap_ports), settings.allow_plain_imap,
        Timing(open_s=settings.imap_timeout_s, command_s=settings.imap_timeout_s),
    )  # fmt: skip


def _keyring(path: str) -> Keyring:
    """The ring: ``{"current": "k1", "keys": {"k1": "<base64url, 32 octets>"}}``; without one no token is valid."""
    if not path:
        return Keyring("", {})
    said = json.loads(Path(path).read_text())
    keys = {kid: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for kid, text in said["keys"].items()}
    return Keyring(said["current"], keys)
