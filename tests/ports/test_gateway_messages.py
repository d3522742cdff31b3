"""Messages and conversations: the fake and MongoDB keep the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contracts.event import AnyEvent, Trace, event
from contracts.message import CancelRequested
from contracts.outbound import InterruptAnswered, InterruptOutcome
from contracts.outbound import Status as Reached
from services.gateway.adapters import indexes
from services.gateway.adapters.backlog import MongoBacklog
from services.gateway.adapters.mongo_conversations import MongoConversations
from services.gateway.adapters.mongo_messages import MongoMessages
from services.gateway.domain.conversation import Conversation, Wanted
from services.gateway.domain.message import Asked, Cancel, Message, Person, Progress, Recipient, Resolution, Status
from services.gateway.domain.page import Cut
from services.gateway.handlers.accept_message import send_requested
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Backlog, Conversations, Key, Messages
from services.kit.ids import uuid7
from services.kit.mongo import Database
from services.kit.owed import MongoOwed
from tests.fakes.gateway_messages import FakeBacklog, FakeConversations, FakeMessages
from tests.fakes.relay import FakeRelay

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TENANT = "acme"
CONVERSATION, CHANNEL = str(uuid7()), str(uuid7())


@dataclass
class Stores:
    """What is tested, and what it handed to the relay."""

    messages: Messages
    conversations: Conversations
    backlog: Backlog
    spoken: list[tuple[str, Sequence[AnyEvent]]]

    def types(self, doc_id: str) -> list[str]:
        """Types of the events spoken last for a document."""
        return [one.type for one in [said for where, said in self.spoken if where == doc_id][-1]]


@pytest.fixture(params=["fake", "mongo"])
async def stores(request: pytest.FixtureRequest, mongo_database: Database) -> AsyncIterator[Stores]:
    relay = FakeRelay()
    if request.param == "fake":
        fake = FakeMessages()
        yield Stores(fake, FakeConversations(), FakeBacklog(fake, 3), relay.given)
        return
    await indexes.ensure(mongo_database)
    messages, conversations = mongo_database["messages"], mongo_database["conversations"]
    yield Stores(
        MongoMessages(messages, relay), MongoConversations(conversations, relay.hand_over), MongoBacklog(messages, 3),
        relay.given,
    )  # fmt: skip


def message(**changes: object) -> Message:
    made = Message(
        tenant=TENANT, message_id=str(uuid7()), conversation_id=CONVERSATION, channel_id=CHANNEL, channel_version=1,
        operator_id=None, operator_version=None, requested_by="ana", internet_message_id="<a@b.test>",
        in_reply_to=None, references=("<x@y.test>",), to=(Person("carla@client.test", "Carla"),), subject="$subject",
        text="Hello", html=None, text_ref=None, html_ref=None, undo_seconds=5, accepted_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


async def accepted(stores: Stores, key: str | None = None, **changes: object) -> Message:
    made = message(**changes)
    kept = await stores.messages.accept(made, Key(key or str(uuid4()), "h"), send_requested(made, Trace()))
    assert kept.fresh
    return kept.value


async def test_what_is_accepted_is_read_back_whole(stores: Stores) -> None:
    made = await accepted(stores)
    assert await stores.messages.get(TENANT, made.message_id) == made
    assert await stores.messages.get("other", made.message_id) is None


async def test_a_key_is_taken_once_whoever_comes_at_the_same_time(stores: Stores) -> None:
    made = [message() for _ in range(20)]
    kept = await asyncio.gather(
        *(stores.messages.accept(one, Key("k", "h"), send_requested(one, Trace())) for one in made)
    )
    assert sum(one.fresh for one in kept) == 1
    assert len({one.value.message_id for one in kept}) == 1
    other = message()
    assert not (await stores.messages.accept(other, Key("k", "x"), send_requested(other, Trace()))).same_body
    foreign = message(tenant="other")
    assert (await stores.messages.accept(foreign, Key("k", "h"), send_requested(foreign, Trace()))).fresh
    found = await stores.messages.find_key(TENANT, Key("k", "h"))
    assert found is not None
    assert (found.fresh, found.same_body) == (False, True)
    assert await stores.messages.find_key(TENANT, Key("z", "h")) is None


async def test_many_are_accepted_together(stores: Stores) -> None:
    made = await asyncio.gather(*(accepted(stores, str(n)) for n in range(120)))
    read = await asyncio.gather(*(stores.messages.get(TENANT, one.message_id) for one in made))
    assert [one.message_id for one in made] == [one.message_id for one in read if one]


async def test_a_conversation_is_read_in_pages_without_what_is_hidden(stores: Stores) -> None:
    made = [await accepted(stores) for _ in range(5)]
    await accepted(stores, conversation_id=str(uuid7()))
    hidden = await stores.messages.hide(TENANT, made[3].message_id)
    assert hidden is not None
    assert hidden.hidden
    assert await stores.messages.hide("other", made[3].message_id) is None
    first = await stores.messages.of_conversation(TENANT, CONVERSATION, Cut(2))
    rest = await stores.messages.of_conversation(TENANT, CONVERSATION, Cut(2, first.after))
    found = [one.message_id for one in (*first.items, *rest.items)]
    assert found == [made[n].message_id for n in (4, 2, 1, 0)]
    assert rest.after is None


async def ask(stores: Stores, before: Message) -> tuple[Cancel, bool]:
    made = Cancel(str(uuid7()), (Asked("ana", NOW),))
    wish = CancelRequested(message_id=before.message_id, cancel_id=made.cancel_id, requested_by="ana", requested_at=NOW)
    return made, await stores.messages.ask(before, made, event(TENANT, wish, at=NOW, source="gateway"))


async def test_one_of_many_cancels_wins(stores: Stores) -> None:
    made = await accepted(stores)
    asked = await asyncio.gather(*(ask(stores, made) for _ in range(8)))
    assert sum(won for _, won in asked) == 1
    (winner,) = (one for one, won in asked if won)
    await stores.messages.join(TENANT, made.message_id, winner.cancel_id, Asked("rui", NOW))
    read = await stores.messages.get(TENANT, made.message_id)
    assert read is not None
    assert read.undecided is not None
    assert (read.undecided.cancel_id, [one.by for one in read.undecided.asked]) == (winner.cancel_id, ["ana", "rui"])
    if stores.spoken:
        assert stores.types(f"{TENANT}/{made.message_id}") == ["SendRequested", "CancelRequested"]


async def test_an_answer_goes_to_its_cancel_and_one_from_elsewhere_is_added(stores: Stores) -> None:
    made = await accepted(stores)
    ours, _ = await ask(stores, made)
    outcome, status = InterruptOutcome.TOO_LATE, Reached.SENT
    for cancel_id in (ours.cancel_id, str(uuid7()), ours.cancel_id):
        said = InterruptAnswered(
            message_id=made.message_id, cancel_id=cancel_id, outcome=outcome, status=status, requested_by="x"
        )
        await stores.messages.answer(TENANT, said, NOW)
    read = await stores.messages.get(TENANT, made.message_id)
    assert read is not None
    assert len(read.cancels) == 2
    assert {(one.outcome, one.status) for one in read.cancels} == {("too_late", "sent")}
    known = read.cancel(ours.cancel_id)
    assert known is not None
    assert [one.by for one in known.asked] == ["ana"]
    await stores.messages.answer("other", said, NOW)


async def test_the_outboxs_highest_version_stays_and_keeps_what_was_said_before(stores: Stores) -> None:
    made = await accepted(stores)
    queued = Progress(Status.QUEUED, 1, undo_until=NOW, due_at=NOW, signature={"why": "own"})
    recipients = (Recipient("carla@client.test", "accepted", 250, None, "ok"),)
    sent = Progress(Status.SENT, 3, finished_at=NOW, recipients=recipients)
    committed = Progress(Status.COMMITTED, 2, attempt=1)
    for said in (queued, committed, sent, committed, queued):
        await stores.messages.advance(TENANT, made.message_id, said)
    read = await stores.messages.get(TENANT, made.message_id)
    assert read is not None
    assert read.progress == Progress(
        Status.SENT, 3, NOW, NOW, attempt=1, finished_at=NOW, recipients=recipients, signature={"why": "own"}
    )
    assert read.version == 1
    await asyncio.gather(*(stores.messages.advance(TENANT, str(uuid7()), sent) for _ in range(250)))
    await stores.messages.advance("other", made.message_id, replace(sent, outbox_version=9, status=Status.FAILED))
    assert (await stores.messages.get(TENANT, made.message_id)) == read


async def test_a_projection_does_not_stand_in_the_way_of_a_cancel(stores: Stores) -> None:
    made = await accepted(stores)
    await stores.messages.advance(TENANT, made.message_id, Progress(Status.QUEUED, 1))
    assert (await ask(stores, made))[1]


async def test_a_resolution_is_written_once(stores: Stores) -> None:
    made = await accepted(stores)
    resolution = Resolution("resent", "ana", NOW, str(uuid7()), "k")
    assert await stores.messages.resolve(made, resolution)
    assert not await stores.messages.resolve(made, Resolution("marked_sent", "rui", NOW))
    read = await stores.messages.get(TENANT, made.message_id)
    assert read is not None
    assert read.resolution == resolution


async def test_overdue_ones_are_owed_again_once(stores: Stores) -> None:
    old = await accepted(stores, expires_at=NOW - timedelta(hours=2))
    await accepted(stores)
    done = await accepted(stores, expires_at=NOW - timedelta(hours=2))
    await stores.messages.advance(TENANT, done.message_id, Progress(Status.QUEUED, 1))
    found = await stores.messages.overdue(NOW, 10)
    assert [one.message_id for one in found] == [old.message_id]
    await stores.messages.owe_again(found[0], send_requested(found[0], Trace()), datetime.now(UTC))
    assert await stores.messages.overdue(NOW, 10) == []


async def test_the_backlog_ends_at_its_limit_and_forgets_what_is_final(stores: Stores) -> None:
    made = [await accepted(stores) for _ in range(3)]
    assert await stores.backlog.full(TENANT)
    assert not await stores.backlog.full("other")
    await stores.messages.advance(TENANT, made[0].message_id, Progress(Status.SENT, 1))
    await stores.messages.advance(TENANT, made[1].message_id, Progress(Status.QUEUED, 5))
    await stores.messages.advance(TENANT, made[1].message_id, Progress(Status.SENT, 3))  # old news: it is queued
    await asyncio.sleep(1.1 if stores.spoken else 0)
    assert not await stores.backlog.full(TENANT)
    await accepted(stores)
    await asyncio.sleep(1.1 if stores.spoken else 0)
    assert await stores.backlog.full(TENANT)


def conversation(**changes: object) -> Conversation:
    made = Conversation(TENANT, str(uuid7()), CHANNEL, (Person("carla@client.test", "Carla"),), None, NOW, "ana", NOW)
    return replace(made, **changes)  # type: ignore[arg-type]


async def started(stores: Stores, **changes: object) -> Conversation:
    made = conversation(**changes)
    assert (await stores.conversations.start(made, Key("k", "h"), conversation_changed(made))).fresh
    return made


async def test_a_conversation_stands_once(stores: Stores) -> None:
    made = await started(stores)
    again = await stores.conversations.start(made, Key("k", "h"), conversation_changed(made))
    assert (again.fresh, again.same_body, again.value) == (False, True, made)
    assert not (await stores.conversations.start(made, Key("k", "x"), conversation_changed(made))).same_body
    found = await asyncio.gather(*(stores.conversations.get(TENANT, made.conversation_id) for _ in range(20)))
    assert found == [made] * 20
    assert await stores.conversations.get("other", made.conversation_id) is None


async def test_a_thread_keeps_its_last_twenty_and_its_first_subject(stores: Stores) -> None:
    made = await started(stores)
    ids = [f"<{n}@b.test>" for n in range(25)]
    for n, one in enumerate(ids):
        said = message(internet_message_id=one, subject=f"$subject {n}", accepted_at=NOW + timedelta(seconds=n))
        await stores.conversations.extend(TENANT, made.conversation_id, said)
    read = await stores.conversations.get(TENANT, made.conversation_id)
    assert read is not None
    assert (read.thread, read.subject, read.last_at) == (tuple(ids[5:]), "$subject 0", NOW + timedelta(seconds=24))
    assert read.version == 1


async def test_conversations_are_listed_the_newest_message_first(stores: Stores) -> None:
    made = [await started(stores, last_at=NOW + timedelta(seconds=n // 2)) for n in range(5)]
    other = await started(stores, channel_id=str(uuid7()), last_at=NOW - timedelta(days=1))
    hidden = replace(made[1], hidden=True, version=2)
    assert await stores.conversations.hide(made[1], conversation_changed(hidden))
    assert not await stores.conversations.hide(made[1], conversation_changed(hidden))
    found: list[str] = []
    after: tuple[str, ...] | None = None
    for _ in range(3):
        page = await stores.conversations.list(TENANT, Wanted(), Cut(2, after))
        found += [one.conversation_id for one in page.items]
        after = page.after
    assert found == [one.conversation_id for one in (made[4], made[3], made[2], made[0], other)]
    assert after is None
    of_channel = await stores.conversations.list(TENANT, Wanted(channel_id=other.channel_id), Cut())
    assert [one.conversation_id for one in of_channel.items] == [other.conversation_id]
    assert (await stores.conversations.list("other", Wanted(), Cut())).items == ()


async def test_mongo_owes_what_was_accepted_until_it_is_paid(mongo_database: Database) -> None:
    await indexes.ensure(mongo_database)
    store = MongoMessages(mongo_database["messages"], FakeRelay())
    made = message(text="x" * 60_000)
    wish = send_requested(made, Trace("00-" + "a" * 32 + "-" + "b" * 16 + "-01", "c"))
    await store.accept(made, Key("k", "h"), wish)
    owed = MongoOwed(mongo_database["messages"], "gateway", settle_ms=0)
    (owing,) = await owed.owing(10)
    assert owing.events == (wish,)
    await owed.paid(owing.doc_id, [wish.id])
    assert await owed.owing(10) == []


async def test_mongo_takes_off_with_the_progress_what_was_spoken(mongo_database: Database) -> None:
    """The write that projects a fact takes the spoken event off, also where the fact is an old one."""
    await indexes.ensure(mongo_database)
    relay, made = FakeRelay(), message()
    store = MongoMessages(mongo_database["messages"], relay)
    wish = send_requested(made, Trace())
    await store.accept(made, Key("k", "h"), wish)
    doc_id = f"{TENANT}/{made.message_id}"
    await store.advance(TENANT, made.message_id, Progress(Status.QUEUED, 1))
    relay.said[doc_id] = [wish.id]
    assert [each.events for each in await MongoOwed(mongo_database["messages"], "gateway", settle_ms=0).owing(9)]
    await store.advance(TENANT, made.message_id, Progress(Status.QUEUED, 1))
    assert await MongoOwed(mongo_database["messages"], "gateway", settle_ms=0).owing(9) == []
    assert relay.said[doc_id] == []
