"""Arrivals, what they do to conversations, and files: the fakes and MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.blob import BlobRef
from contracts.event import AnyEvent, Trace, event
from contracts.signature import SignatureChanged, SignatureTemplate
from services.gateway.adapters import indexes
from services.gateway.adapters.mongo_arrivals import MongoArrivals
from services.gateway.adapters.mongo_conversations import MongoConversations
from services.gateway.adapters.mongo_files import MongoFiles
from services.gateway.adapters.mongo_messages import MongoMessages
from services.gateway.adapters.mongo_views import MongoSignatures
from services.gateway.domain.bounce import Bounce, Returned
from services.gateway.domain.conversation import Conversation, View, Wanted
from services.gateway.domain.inbound import Attachment, Inbound, Kind, Quarantined, joining_of, opened_by
from services.gateway.domain.message import Person, Stored
from services.gateway.domain.page import Cut
from services.gateway.domain.words import asked_words
from services.gateway.handlers.accept_message import send_requested
from services.gateway.handlers.project_inbound import ProjectInbound
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Arrivals, Conversations, Files, Key, Messages, Signatures
from services.kit.blobs import Blobs
from services.kit.ids import uuid7
from services.kit.mongo import Database
from tests.fakes.blobs import FakeBlobs
from tests.fakes.clock import FakeClock
from tests.fakes.gateway_arrivals import FakeArrivals, FakeFiles
from tests.fakes.gateway_messages import FakeConversations, FakeMessages
from tests.fakes.gateway_world import FakeSignatures
from tests.fakes.relay import FakeRelay
from tests.ports.test_gateway_messages import CHANNEL, NOW, TENANT, conversation, message
from tests.unit.gateway.mails import bounce, mail


@dataclass
class Stores:
    """What is tested; ``blobs`` holds the octets, ``spoken`` what was handed to the relay."""

    messages: Messages
    conversations: Conversations
    arrivals: Arrivals
    files: Files
    signatures: Signatures
    blobs: Blobs | FakeBlobs
    spoken: list[tuple[str, Sequence[AnyEvent]]] = field(default_factory=list)

    def projection(self) -> ProjectInbound:
        """One replica's use case."""
        return ProjectInbound(self.arrivals, self.conversations, self.messages)

    async def now(self, conversation_id: str) -> Conversation:
        """The conversation as it stands."""
        found = await self.conversations.get(TENANT, conversation_id)
        assert found is not None
        return found


def mongo_stores(database: Database, clock: FakeClock) -> Stores:
    relay, blobs = FakeRelay(), Blobs(database)
    return Stores(
        MongoMessages(database["messages"], relay), MongoConversations(database["conversations"], relay.hand_over),
        MongoArrivals(database["inbound"], database["quarantined"]), MongoFiles(database, blobs, clock),
        MongoSignatures(database["signatures"]), blobs, relay.given,
    )  # fmt: skip


@pytest.fixture(params=["fake", "mongo"])
async def stores(request: pytest.FixtureRequest, mongo_database: Database) -> AsyncIterator[Stores]:
    if request.param == "fake":
        arrivals, blobs = FakeArrivals(), FakeBlobs()
        signatures = FakeSignatures()
        files = FakeFiles(arrivals, blobs, signatures=signatures.kept)
        yield Stores(FakeMessages(), FakeConversations(), arrivals, files, signatures, blobs)
        return
    await indexes.ensure(mongo_database)
    yield mongo_stores(mongo_database, FakeClock(NOW))


def stored(blob_id: str | None = None) -> Stored:
    return Stored(blob_id or str(uuid7()), "0" * 64, 3, "text/plain")


def inbound(conversation_id: str, seconds: float = 0, **changes: object) -> Inbound:
    at = NOW + timedelta(seconds=seconds)
    made = Inbound(
        TENANT, str(uuid7()), conversation_id, CHANNEL, Kind.RECEIVED, at, at, stored(),
        sender=Person("carla@client.test", "$Carla"), subject="$subject", text="$text", to=(Person("desk@acme.test"),),
        attachments=(Attachment(stored(), "a.pdf", "<x@y>", inline=True),), internet_message_id=f"<{uuid4()}@c.test>",
        returned=(Returned("x@y.test", "failed", "5.1.1"),), truncated=("text",), html_ref=stored(),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


async def started(stores: Stores) -> str:
    made = conversation()
    assert (await stores.conversations.start(made, Key("k", "h"), conversation_changed(made))).fresh
    return made.conversation_id


async def test_a_mail_is_kept_once_and_read_back_whole(stores: Stores) -> None:
    made = inbound(str(uuid7()))
    assert not await stores.arrivals.knows(TENANT, made.message_id)
    await asyncio.gather(*(stores.arrivals.keep(replace(made, text=text)) for text in ("$text", "other", "third")))
    assert await stores.arrivals.get(TENANT, made.message_id) == made
    assert await stores.arrivals.get("other", made.message_id) is None
    known = await asyncio.gather(*(stores.arrivals.knows(t, made.message_id) for t in (TENANT, "other", TENANT)))
    assert known == [True, False, True]


async def test_mails_are_read_in_pages_without_what_is_hidden(stores: Stores) -> None:
    here = str(uuid7())
    made = [inbound(here, n // 2) for n in range(7)]
    await asyncio.gather(*map(stores.arrivals.keep, (*made, inbound(str(uuid7())))))
    await stores.arrivals.hide(TENANT, made[3].message_id)
    assert await stores.arrivals.hide("other", made[2].message_id) is None
    found: list[str] = []
    after: tuple[str, ...] | None = None
    for _ in range(3):
        page = await stores.arrivals.of_conversation(TENANT, here, Cut(2, after))
        found += [one.message_id for one in page.items]
        after = page.after
    assert after is None
    left = sorted((one for one in made if one != made[3]), key=lambda one: (one.at, one.message_id), reverse=True)
    assert found == [one.message_id for one in left]


async def test_joining_is_done_once_for_each_mail_whoever_does_it(stores: Stores) -> None:
    here = await started(stores)
    mails = [inbound(here, n) for n in range(8)]
    await asyncio.gather(*(stores.conversations.join(TENANT, here, joining_of(one)) for one in mails for _ in range(4)))
    now = await stores.now(here)
    assert (now.unread, now.last_at, now.subject) == (8, mails[-1].at, "$subject")
    assert sorted(now.thread) == sorted(str(one.internet_message_id) for one in mails)
    assert now.last is not None
    assert (now.last.message_id, now.last.preview) == (mails[-1].message_id, "$text")
    assert now.version == 1


async def test_an_older_mail_moves_nothing_back(stores: Stores) -> None:
    here = await started(stores)
    for seconds in (60, -60):
        await stores.conversations.join(TENANT, here, joining_of(inbound(here, seconds, subject=f"s{seconds}")))
    now = await stores.now(here)
    assert now.last is not None
    assert (now.last.at, now.last_at, now.unread, now.subject) == (
        NOW + timedelta(seconds=60), NOW + timedelta(seconds=60), 2, "s60",
    )  # fmt: skip


async def test_what_came_after_what_was_seen_stays_unread(stores: Stores) -> None:
    here = await started(stores)
    mails = [inbound(here, n) for n in (1, 1, 2)]
    mails.sort(key=lambda one: (one.at, one.message_id))
    for one in mails:
        await stores.conversations.join(TENANT, here, joining_of(one))
    for up_to, left in (((mails[0].at, mails[0].message_id), 2), ((mails[1].at, mails[1].message_id), 1), (None, 0)):
        now = await stores.conversations.read(TENANT, here, up_to)
        assert now is not None
        assert now.unread == left
    assert await stores.conversations.read("other", here, None) is None
    await stores.conversations.join(TENANT, here, joining_of(mails[2]))
    assert (await stores.now(here)).unread == 0


async def test_a_sent_message_moves_the_conversation_too(stores: Stores) -> None:
    here = await started(stores)
    await stores.conversations.join(TENANT, here, joining_of(inbound(here, -5)))
    said = message(conversation_id=here, text="$hello", internet_message_id="<$a@b.test>", operator_id=str(uuid7()))
    for _ in range(2):
        await stores.conversations.extend(TENANT, here, said)
    now = await stores.now(here)
    assert now.last is not None
    assert (now.last.direction, now.last.preview, now.unread) == ("out", "$hello", 1)
    assert now.thread[1:] == ("<$a@b.test>",)
    for name, found in (("ana", [here]), (said.operator_id, [here]), ("rui", [])):
        page = await stores.conversations.list(TENANT, Wanted(View.MINE, me=(str(name),)), Cut())
        assert [one.conversation_id for one in page.items] == found


async def test_lists_begin_with_what_is_unread_and_continue_over_it(stores: Stores) -> None:
    ids = [await started(stores) for _ in range(6)]
    for n, one in enumerate(ids):
        await stores.conversations.extend(
            TENANT, one, message(conversation_id=one, accepted_at=NOW + timedelta(hours=n))
        )
    for one in (ids[1], ids[3]):
        await stores.conversations.join(TENANT, one, joining_of(inbound(one)))
    wanted = [ids[n] for n in (3, 1, 5, 4, 2, 0)]
    for size in (1, 2, 3, 5):
        found: list[str] = []
        after: tuple[str, ...] | None = None
        while True:
            page = await stores.conversations.list(TENANT, Wanted(), Cut(size, after))
            found += [one.conversation_id for one in page.items]
            if (after := page.after) is None:
                break
        assert found == wanted, size
    unread = await stores.conversations.list(TENANT, Wanted(View.UNREAD), Cut())
    assert [one.conversation_id for one in unread.items] == wanted[:2]


async def test_searches_find_by_beginnings_of_words(stores: Stores) -> None:
    made = opened_by(inbound(str(uuid7()), sender=Person("joao@praca.test", "João $Ávila"), subject="Pedido (1234).*"))
    await stores.conversations.start(made, Key("k", "h"), conversation_changed(made))
    other = await started(stores)
    for query, found in (
        ("joao avi", [made.conversation_id]), ("PEDIDO 12", [made.conversation_id]),
        ("joao@pra", [made.conversation_id]), ("carla@client.test", [other]),
        (".*", []), ("edido", []), ("joao carla", []),
    ):  # fmt: skip
        words = asked_words(query)
        page = await stores.conversations.list(TENANT, Wanted(words=words), Cut())
        assert [one.conversation_id for one in page.items if words] == found, query
    assert (await stores.conversations.list("other", Wanted(words=("joao",)), Cut())).items == ()


async def test_a_bounce_is_added_once(stores: Stores) -> None:
    made = message()
    await stores.messages.accept(made, Key("b", "h"), send_requested(made, Trace()))
    report = Bounce(str(uuid7()), NOW, (Returned("carla@client.test", "failed", "5.1.1", "$why"),))
    await asyncio.gather(*(stores.messages.bounced(TENANT, made.message_id, report) for _ in range(5)))
    await stores.messages.bounced("other", made.message_id, replace(report, message_id="x"))
    read = await stores.messages.get(TENANT, made.message_id)
    assert read is not None
    assert (read.bounces, read.version) == ((report,), 1)
    some = await stores.messages.some(TENANT, [made.message_id, str(uuid7())])
    assert some == {made.message_id: replace(read, text=None, html=None, references=())}


async def test_quarantined_mails_are_listed_by_channel(stores: Stores) -> None:
    made = [Quarantined(TENANT, str(uuid7()), CHANNEL, "cpu", n, NOW + timedelta(hours=n), stored()) for n in range(3)]
    for one in (*made, *made, replace(made[0], tenant="other"), replace(made[1], message_id="x", channel_id="y")):
        await stores.arrivals.set_aside(one)
    first = await stores.arrivals.aside(TENANT, CHANNEL, Cut(2))
    rest = await stores.arrivals.aside(TENANT, CHANNEL, Cut(2, first.after))
    assert [*first.items, *rest.items] == made[::-1]


async def test_a_file_opens_for_the_tenant_whose_mail_refers_to_it(stores: Stores) -> None:
    ref = await stores.blobs.put(TENANT, b"octets", "image/png")
    loose = await stores.blobs.put(TENANT, b"loose", "image/png")
    blob = Stored(ref.blob_id, ref.sha256, ref.size, ref.media_type)
    await stores.arrivals.keep(inbound(str(uuid7()), attachments=(Attachment(blob, "a.png"),)))
    await stores.arrivals.keep(inbound(str(uuid7()), tenant="other", attachments=(Attachment(blob, "b.png"),)))
    opened = await stores.files.open(TENANT, ref.blob_id)
    assert opened is not None
    assert (opened[0].name, opened[0].size) == ("a.png", 6)
    assert b"".join([chunk async for chunk in opened[1]]) == b"octets"
    for tenant, blob_id in (("other", ref.blob_id), (TENANT, loose.blob_id), (TENANT, str(uuid7()))):
        assert await stores.files.open(tenant, blob_id) is None
    gone = inbound(str(uuid7()))
    await stores.arrivals.keep(gone)
    assert await stores.files.open(TENANT, gone.raw.blob_id) is None


async def test_an_image_opens_for_the_tenant_whose_signature_shows_it(stores: Stores) -> None:
    ref, other = [await stores.blobs.put(TENANT, octets, "image/png") for octets in (b"logo", b"old")]

    async def signed(version: int, shown: BlobRef) -> None:
        state = SignatureChanged(
            version=version, request_id=None, channel_id=CHANNEL, operator_id=None, template=SignatureTemplate(),
            images=(shown,), changed_by="ana", changed_at=NOW,
        )  # fmt: skip
        await stores.signatures.put(event(TENANT, state, at=NOW, source="signature"))

    await signed(1, other)
    await signed(2, ref)
    found = await stores.files.find(TENANT, ref.blob_id)
    assert found is not None
    assert (found.name, found.media_type, found.size, found.sha256) == ("image", "image/png", 4, ref.sha256)
    assert await stores.files.open(TENANT, ref.blob_id) is not None
    for tenant, blob_id in (("other", ref.blob_id), (TENANT, other.blob_id)):
        assert await stores.files.find(tenant, blob_id) is None


async def test_an_upload_opens_again(stores: Stores) -> None:
    async def octets() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * (1 << 20)

    file = await stores.files.keep(TENANT, "big", "application/pdf", octets())
    assert (file.size, file.name) == (5 << 20, "big")
    opened = await stores.files.open(TENANT, file.blob_id)
    assert opened is not None
    assert (opened[0], sum([len(chunk) async for chunk in opened[1]])) == (file, 5 << 20)
    assert await stores.files.open("other", file.blob_id) is None


async def test_two_replicas_project_the_same_mails_in_any_order(stores: Stores) -> None:
    """Somebody new: eight mails of one conversation, each told four times, at once, with a report among them."""
    here, sent = str(uuid7()), message()
    await stores.messages.accept(sent, Key("two", "h"), send_requested(sent, Trace()))
    mails = [mail(CHANNEL, here, seconds=n) for n in range(8)] + [bounce(CHANNEL, here, sent.message_id, seconds=9)]
    replicas = [stores.projection(), stores.projection()]
    told = [(replica, one) for one in mails[::-1] for replica in replicas for _ in range(2)]
    await asyncio.gather(*(replica.handle(one) for replica, one in told))
    now = await stores.now(here)
    assert (now.unread, now.version, now.created_by) == (9, 1, None)
    assert now.last is not None
    assert now.last.message_id == mails[-1].data.message_id
    page = await stores.arrivals.of_conversation(TENANT, here, Cut())
    assert [one.message_id for one in page.items] == [one.data.message_id for one in mails[::-1]]
    read = await stores.messages.get(TENANT, sent.message_id)
    assert read is not None
    assert len(read.bounces) == 1
    spoken = {one.id for _, events in stores.spoken for one in events if one.type == "ConversationChanged"}
    assert len(spoken) <= 1
