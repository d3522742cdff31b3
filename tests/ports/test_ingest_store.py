"""Ingest's stores: the fakes and MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.blob import BlobRef
from contracts.conversation import ConversationChanged, Correspondent
from contracts.event import event
from contracts.tenant import TenantChanged
from services.ingest.adapters import indexes
from services.ingest.adapters.mongo_copies import MongoCopies
from services.ingest.adapters.mongo_cursors import MongoCursors
from services.ingest.adapters.mongo_ledger import MongoLedger
from services.ingest.adapters.mongo_own import MongoOwnMails, MongoParticipants, MongoTenants
from services.ingest.adapters.mongo_raw import INLINE, MongoRaw
from services.ingest.adapters.mongo_statuses import MongoStatuses
from services.ingest.domain import cursor as rules
from services.ingest.domain import sent_copy
from services.ingest.domain import status as statuses
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.ledger import Seen, Thread
from services.ingest.domain.sent_copy import SentCopy
from services.ingest.domain.session import Streamed
from services.ingest.handlers.facts import speak_status
from services.ingest.ports import CopyStore, CursorStore, Ledger, OwnMail, StatusStore, Stored
from services.kit.blobs import Blobs
from services.kit.clock import SystemClock
from services.kit.copies import Copies
from services.kit.mongo import Database
from services.kit.owed import MongoOwed
from tests.fakes.ingest_store import FakeCopies, FakeCursors, FakeLedger, FakeOwnMails, FakeStatuses

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = timedelta(days=1)


@dataclass
class Stores:
    """One kind of them."""

    cursors: CursorStore
    ledger: Ledger
    statuses: StatusStore
    own_mails: Any
    copies: CopyStore


@pytest.fixture(params=["fake", "mongo"])
async def stores(request: pytest.FixtureRequest, mongo_database: Database) -> Stores:
    """In memory, and on a fresh database with its indexes."""
    if request.param == "fake":
        return Stores(FakeCursors(), FakeLedger(), FakeStatuses(), FakeOwnMails(), FakeCopies())
    database = mongo_database
    await indexes.ensure(database)
    return Stores(
        MongoCursors(database[indexes.CURSORS]), MongoLedger(database[indexes.LEDGER], SystemClock(), LIFE),
        MongoStatuses(database[indexes.STATUSES]), MongoOwnMails(database[indexes.OWN_MAILS], SystemClock(), LIFE),
        MongoCopies(database[indexes.COPIES], Blobs(database)),
    )  # fmt: skip


@pytest.fixture
def key() -> tuple[str, str]:
    """A channel."""
    return str(uuid4()), str(uuid4())


async def test_a_claim_raises_the_epoch_and_keeps_the_cursor(stores: Stores, key: tuple[str, str]) -> None:
    first = await stores.cursors.claim(key, "a")
    assert first == Cursor(1)
    begun = rules.begin(first, 7, 100, NOW)
    assert await stores.cursors.move(key, first, begun)
    second = await stores.cursors.claim(key, "b")
    assert second == replace(begun, epoch=2)
    assert not await stores.cursors.move(key, begun, rules.advance(begun, 120))
    assert await stores.cursors.move(key, second, rules.advance(second, 120))
    assert [await stores.cursors.holds(key, epoch) for epoch in (1, 2)] == [False, True]


async def test_a_cursor_moves_from_where_it_is_alone(stores: Stores, key: tuple[str, str]) -> None:
    cursor = rules.begin(await stores.cursors.claim(key, "a"), 7, 1, NOW)
    assert await stores.cursors.move(key, Cursor(1), cursor)
    moved = await asyncio.gather(*(stores.cursors.move(key, cursor, rules.advance(cursor, n)) for n in (1, 2, 3)))
    assert sum(moved) == 1


async def test_a_renumbering_is_kept_with_the_cursor(stores: Stores, key: tuple[str, str]) -> None:
    first = await stores.cursors.claim(key, "a")
    cursor = rules.renumber(rules.advance(rules.begin(first, 7, 1, NOW), 5), 8, 4)
    assert await stores.cursors.move(key, first, cursor)
    assert (await stores.cursors.claim(key, "b")).renumbered == cursor.renumbered
    await stores.cursors.drop(key)
    assert await stores.cursors.claim(key, "c") == Cursor(1)


def seen(sha256: str, uid: int) -> Seen:
    """An entry."""
    return Seen(sha256, str(uuid4()), str(uuid4()), 0, 7, uid)


async def test_the_first_entry_stands_for_ever(stores: Stores, key: tuple[str, str]) -> None:
    a, b, late = seen("a" * 64, 1), seen("b" * 64, 2), seen("a" * 64, 3)
    assert await stores.ledger.note(key, [a], []) == {}
    assert await stores.ledger.note(key, [late, b], []) == {a.sha256: a}
    assert await stores.ledger.seen(key, [a.sha256, b.sha256, "c" * 64]) == {a.sha256: a, b.sha256: b}
    assert await stores.ledger.seen((key[0], str(uuid4())), [a.sha256]) == {}


async def test_two_who_note_at_once_agree(stores: Stores, key: tuple[str, str]) -> None:
    mine, theirs = ([seen(f"{n:064}", n) for n in range(50)] for _ in range(2))
    told = await asyncio.gather(stores.ledger.note(key, mine, []), stores.ledger.note(key, theirs, []))
    standing = await stores.ledger.seen(key, [each.sha256 for each in mine])
    assert {**{each.sha256: each for each in mine}, **told[0]} == standing
    assert {**{each.sha256: each for each in theirs}, **told[1]} == standing


async def test_threads_are_found_by_message_id_however_it_looks(stores: Stores, key: tuple[str, str]) -> None:
    ids = ["<a@far.test>", "<" + "x" * 5000 + ">", "no brackets, ümläute"]
    await stores.ledger.note(key, [], [Thread(one, f"c{n}") for n, one in enumerate(ids)])
    await stores.ledger.note(key, [], [Thread(ids[0], "late")])
    assert await stores.ledger.conversations(key, [*ids, "<b@far.test>"]) == {one: f"c{n}" for n, one in enumerate(ids)}


async def test_a_status_is_written_by_version_and_owes_its_events(stores: Stores, key: tuple[str, str]) -> None:
    first = statuses.connecting(*key, 1, NOW)
    assert await stores.statuses.write(None, first, (speak_status(first, NOW),))
    assert not await stores.statuses.write(None, first, ())
    connected = statuses.proven(first, NOW)
    assert await stores.statuses.write(first, connected, ())
    assert not await stores.statuses.write(first, connected, ())
    assert await stores.statuses.load(*key) == connected
    await stores.statuses.prove([key], NOW + timedelta(minutes=5))
    found = await stores.statuses.load(*key)
    assert found == replace(connected, proven_at=NOW + timedelta(minutes=5))
    assert found in await stores.statuses.stale(NOW + timedelta(hours=1), 500)
    assert found not in await stores.statuses.stale(NOW, 500)
    await stores.statuses.drop(*key)
    assert await stores.statuses.load(*key) is None


async def test_own_mails_are_found_by_id(stores: Stores, key: tuple[str, str]) -> None:
    await stores.own_mails.put(key[0], "m1", OwnMail("a" * 64, 5, "<m1@a>"))
    assert await stores.own_mails.find(key[0], ["m1", "m2"]) == {"m1": OwnMail("a" * 64, 5, "<m1@a>")}
    assert await stores.own_mails.find(key[1], ["m1"]) == {}


async def test_copies_are_due_by_channel_and_a_repeated_offer_changes_nothing(
    stores: Stores, key: tuple[str, str]
) -> None:
    later = NOW + timedelta(hours=1)
    copies = [
        SentCopy(*key, str(uuid4()), "<a@b.test>", NOW, NOW + timedelta(minutes=n), octets=b"octets") for n in (2, 1)
    ]
    for copy in copies:
        await stores.copies.put(copy)
    assert await stores.copies.due([key], later, 10) == [copies[1], copies[0]]
    assert await stores.copies.due([key], NOW + timedelta(seconds=90), 10) == [copies[1]]
    assert await stores.copies.due([(key[0], str(uuid4()))], later, 10) == await stores.copies.due([], later, 10) == []
    tried = sent_copy.again(copies[0], later)
    assert tried is not None
    await stores.copies.put(tried)
    await stores.copies.put(copies[0])
    assert await stores.copies.due([key], later, 10) == [copies[1]]
    assert await whole(await stores.copies.octets(copies[1])) == b"octets"
    await stores.copies.done(copies[1])
    assert await stores.copies.due([key], later + timedelta(days=1), 10) == [tried]


async def whole(octets: Streamed | None) -> bytes:
    """All of it, as long as it says."""
    assert octets is not None
    found = b"".join([piece async for piece in octets.pieces])
    assert len(found) == octets.size
    return found


async def test_a_long_copy_is_read_from_its_blob(mongo_database: Database, key: tuple[str, str]) -> None:
    blobs = Blobs(mongo_database)
    ref = await blobs.put(key[0], b"long", "message/rfc822")
    store = MongoCopies(mongo_database[indexes.COPIES], blobs)
    copy = SentCopy(*key, str(uuid4()), "<a@b.test>", NOW, NOW, blob_id=ref.blob_id, sha256=ref.sha256)
    assert await whole(await store.octets(copy)) == b"long"
    assert await store.octets(replace(copy, sha256="0" * 64)) is None
    assert await store.octets(replace(copy, blob_id=str(uuid4()))) is None


async def test_the_owed_status_can_be_relayed(mongo_database: Database, key: tuple[str, str]) -> None:
    await indexes.ensure(mongo_database)
    store = MongoStatuses(mongo_database[indexes.STATUSES])
    first = statuses.connecting(*key, 1, NOW)
    spoken = speak_status(first, NOW)
    await store.write(None, first, (spoken,))
    (owing,) = await MongoOwed(mongo_database[indexes.STATUSES], "ingest", settle_ms=0).owing(10)
    assert owing.events == (spoken,)


def stored(octets: bytes) -> Stored:
    """Something to be stored."""
    digest = hashlib.sha256(octets).hexdigest()
    return Stored(BlobRef(blob_id=str(uuid4()), sha256=digest, size=len(octets), media_type="message/rfc822"), octets)


async def test_what_is_kept_is_read_as_any_blob_and_a_repeat_does_nothing(mongo_database: Database) -> None:
    tenant, raw, blobs = str(uuid4()), MongoRaw(mongo_database, SystemClock(), LIFE), Blobs(mongo_database)
    things = [stored(b"small"), stored(b"x" * INLINE), stored(b"y" * (INLINE + 1)), stored(b"")]
    await raw.keep(tenant, things)
    await raw.keep(tenant, [*things, stored(b"new")])
    for thing in things:
        assert await blobs.fetch(tenant, thing.ref) == thing.octets
    assert await mongo_database["blobs"].count_documents({}) == 5
    assert await mongo_database["long.files"].count_documents({}) == 1
    assert await blobs.get(str(uuid4()), things[0].ref.blob_id) is None


async def test_a_long_blob_cut_short_is_written_again(mongo_database: Database) -> None:
    tenant, raw, blobs = str(uuid4()), MongoRaw(mongo_database, SystemClock(), LIFE), Blobs(mongo_database)
    thing = stored(b"z" * (INLINE + 5))
    await raw.keep(tenant, [thing])
    await mongo_database["blobs"].delete_many({})
    await raw.keep(tenant, [thing])
    assert await blobs.fetch(tenant, thing.ref) == thing.octets


async def test_participants_and_tenants_are_read_from_copies(mongo_database: Database, key: tuple[str, str]) -> None:
    tenant, channel = key
    talk = ConversationChanged(
        conversation_id=str(uuid4()), channel_id=channel, participants=(Correspondent(address="Client@Far.test"),)
    )
    collection = mongo_database[indexes.CONVERSATIONS]
    await Copies(collection, ConversationChanged).put(event(tenant, talk, at=NOW, source="gateway"))
    found = await MongoParticipants(collection).of(tenant, [talk.conversation_id, str(uuid4())])
    assert found == {talk.conversation_id: frozenset({"client@far.test"})}
    tenants = MongoTenants(mongo_database[indexes.TENANTS])
    for version, enabled in ((1, True), (2, False)):
        data = TenantChanged(version=version, request_id=channel, name="Acme", email_enabled=enabled, max_channels=1)
        await tenants.put(event(tenant, data, at=NOW, source="config"))
        assert (tenant in await tenants.switched_off()) is not enabled
