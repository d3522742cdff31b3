"""What arrives comes into its conversation once, in any order, or opens one; replies answer it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.inbound import AutoReplyReceived, InboundAddress
from services.gateway.domain.conversation import View
from services.gateway.domain.inbound import Inbound
from services.gateway.domain.message import Message, Person
from services.gateway.domain.page import Cut
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.handlers.project_inbound import WrongChannel
from services.gateway.ports import Key
from services.kit.ids import uuid7
from tests.unit.gateway.mails import NOW, bounce, mail, unreadable
from tests.unit.gateway.world import CHANNEL, OTHER, TENANT, World, ana, content, rui, world


@pytest.fixture
async def here() -> World:
    return await world()


async def test_an_answer_comes_into_its_conversation_once(here: World) -> None:
    made = here.conversation()
    told = mail(CHANNEL, made.conversation_id)
    for _ in range(3):
        await here.use.inbound.handle(told)
    now = here.conversations.kept[TENANT, made.conversation_id]
    assert (now.unread, now.thread, now.subject) == (1, (told.data.internet_message_id,), "Your order")
    assert now.last is not None
    assert (now.last.direction, now.last.kind, now.last.preview) == ("in", "received", "Where is my order?")
    assert here.conversations.spoken == []
    assert not here.arrivals.kept[TENANT, told.data.message_id].new_participant


async def test_a_crash_before_the_last_write_adds_nothing_twice(here: World) -> None:
    made = here.conversation()
    told = mail(CHANNEL, made.conversation_id)
    await here.use.inbound.handle(told)
    here.arrivals.kept.clear()
    await here.use.inbound.handle(told)
    now = here.conversations.kept[TENANT, made.conversation_id]
    assert (now.unread, len(now.thread), len(here.arrivals.kept)) == (1, 1, 1)


async def test_somebody_new_opens_a_conversation_and_ingest_hears_of_it(here: World) -> None:
    conversation_id = str(uuid4())
    told = mail(CHANNEL, conversation_id, references=("<a@x.test>", "<b c@x.test>", "<b@x.test>"), subject="Hi\r\nX: y")
    await here.use.inbound.handle(told)
    made = here.conversations.kept[TENANT, conversation_id]
    assert (made.participants, made.created_by) == ((Person("carla@client.test", "Carla"),), None)
    assert (made.subject, made.unread) == ("Hi X: y", 1)
    assert made.thread == ("<a@x.test>", "<b@x.test>", told.data.internet_message_id)
    ((_, spoken),) = here.conversations.spoken
    assert (spoken.type, spoken.data.conversation_id) == ("ConversationChanged", conversation_id)
    assert spoken.data.participants[0].address == "carla@client.test"


async def test_whom_a_mail_wants_answered_takes_part_and_what_is_no_address_does_not(here: World) -> None:
    first, second, third = (str(uuid4()) for _ in range(3))
    form = InboundAddress(address="form@shop.test", name="Shop")
    reply_to = (InboundAddress(address="Carla@CLIENT.test", name="Car\nla"), InboundAddress(address="not one"))
    await here.use.inbound.handle(mail(CHANNEL, first, sender=form, reply_to=reply_to))
    again = mail(CHANNEL, first, sender=form, reply_to=reply_to, new_participant=True)
    await here.use.inbound.handle(again)
    assert here.conversations.kept[TENANT, first].participants == (Person("Carla@client.test", "Car la"),)
    assert not here.arrivals.kept[TENANT, again.data.message_id].new_participant
    stranger = mail(CHANNEL, first, sender=form, new_participant=True)
    await here.use.inbound.handle(stranger)
    assert here.arrivals.kept[TENANT, stranger.data.message_id].new_participant
    await here.use.inbound.handle(mail(CHANNEL, second, sender=None))
    assert here.conversations.kept[TENANT, second].participants == ()
    await here.use.inbound.handle(mail(CHANNEL, third, sender=InboundAddress(address="<script>@x")))
    assert here.conversations.kept[TENANT, third].participants == ()


async def test_a_reply_answers_the_last_message_in_the_clients_subject(here: World) -> None:
    conversation_id = str(uuid4())
    first = mail(CHANNEL, conversation_id)
    await here.use.inbound.handle(first)
    sent = await here.use.send.handle(ana(), conversation_id, content(subject=None), Key("k", "h"))
    assert isinstance(sent, Message)
    assert (sent.subject, sent.in_reply_to) == ("Re: Where is it?", first.data.internet_message_id)
    assert sent.to == (Person("carla@client.test", "Carla"),)
    second = mail(CHANNEL, conversation_id, seconds=60)
    await here.use.inbound.handle(second)
    report = bounce(CHANNEL, conversation_id, sent.message_id, seconds=70)
    await here.use.inbound.handle(report)
    again = await here.use.send.handle(ana(), conversation_id, content(subject=None), Key("l", "h"))
    assert isinstance(again, Message)
    assert again.in_reply_to == second.data.internet_message_id
    assert again.references == (
        first.data.internet_message_id, sent.internet_message_id, second.data.internet_message_id,
    )  # fmt: skip


async def test_a_reply_to_a_mail_from_nobody_says_so(here: World) -> None:
    conversation_id = str(uuid4())
    await here.use.inbound.handle(mail(CHANNEL, conversation_id, sender=InboundAddress(address="desk@acme.test")))
    refused = await here.use.send.handle(ana(), conversation_id, content(), Key("k", "h"))
    assert isinstance(refused, Refused)
    assert "nobody to write to" in refused.detail


async def test_a_bounce_shows_at_the_message_it_speaks_of_once(here: World) -> None:
    sent = await here.message()
    told = bounce(CHANNEL, sent.conversation_id, sent.message_id)
    for _ in range(2):
        await here.use.inbound.handle(told)
        here.arrivals.kept.clear()
    ((report,),) = (here.messages.kept[TENANT, sent.message_id].bounces,)
    assert (report.message_id, report.recipients[0].status) == (told.data.message_id, "5.1.1")
    await here.use.inbound.handle(bounce(CHANNEL, sent.conversation_id, str(uuid7())))
    foreign = bounce(CHANNEL, str(uuid4()), sent.message_id, tenant=OTHER)
    await here.use.inbound.handle(foreign)
    assert len(here.messages.kept[TENANT, sent.message_id].bounces) == 1


async def test_an_absence_note_is_shown_and_asks_for_nobodys_attention(here: World) -> None:
    made = here.conversation()
    await here.use.inbound.handle(mail(CHANNEL, made.conversation_id, kind=AutoReplyReceived, auto="auto-reply"))
    now = here.conversations.kept[TENANT, made.conversation_id]
    assert (now.unread, now.last and now.last.kind) == (0, "auto_reply")


async def test_a_mail_of_another_channel_is_not_taken(here: World) -> None:
    made = here.conversation()
    with pytest.raises(WrongChannel):
        await here.use.inbound.handle(mail(str(uuid7()), made.conversation_id))
    assert (here.arrivals.kept, here.conversations.kept[TENANT, made.conversation_id]) == ({}, made)


async def test_a_client_who_writes_again_shows_what_was_hidden(here: World) -> None:
    made = here.conversation()
    await here.use.conversation.hide(ana(), made.conversation_id)
    await here.use.inbound.handle(mail(CHANNEL, made.conversation_id))
    now = here.conversations.kept[TENANT, made.conversation_id]
    assert (now.hidden, now.version) == (False, 3)
    assert [one.data.hidden for _, one in here.conversations.spoken] == [True, False]


async def test_what_was_imported_stands_where_it_was_received(here: World) -> None:
    made = here.conversation()
    old = mail(CHANNEL, made.conversation_id, received_at=NOW - timedelta(days=9))
    ahead = mail(CHANNEL, made.conversation_id, received_at=NOW + timedelta(hours=1))
    for told in (ahead, old):
        await here.use.inbound.handle(told)
    assert here.arrivals.kept[TENANT, old.data.message_id].at == NOW - timedelta(days=9)
    assert here.arrivals.kept[TENANT, ahead.data.message_id].at == NOW
    last = here.conversations.kept[TENANT, made.conversation_id].last
    assert last is not None
    assert last.message_id == ahead.data.message_id


async def test_both_directions_are_read_in_one_order(here: World) -> None:
    made = here.conversation()
    found: list[str] = []
    here.clock.advance((NOW - here.clock.now()).total_seconds())
    for n in range(3):
        sent = await here.use.send.handle(ana(), made.conversation_id, content(), Key(f"k{n}", "h"))
        assert isinstance(sent, Message)
        told = mail(CHANNEL, made.conversation_id, seconds=10 * n + 5)
        await here.use.inbound.handle(told)
        found = [told.data.message_id, sent.message_id, *found]
        here.clock.advance(10)
    read: list[str] = []
    after: tuple[str, ...] | None = None
    while True:
        opened = await here.use.conversation.handle(ana(), made.conversation_id, Cut(2, after))
        assert not isinstance(opened, Refused)
        read += [one.message_id for one in opened.messages.items]
        after = opened.messages.after
        if after is None:
            break
    assert read == found


async def test_reading_stops_at_what_was_seen(here: World) -> None:
    made = here.conversation()
    told = [mail(CHANNEL, made.conversation_id, seconds=n) for n in range(3)]
    for one in told:
        await here.use.inbound.handle(one)
    for message_id, left in ((told[1].data.message_id, 1), (told[0].data.message_id, 1), (None, 0)):
        now = await here.use.conversation.read(ana(), made.conversation_id, message_id)
        assert not isinstance(now, Refused)
        assert now.unread == left
    assert await here.use.conversation.read(ana(), made.conversation_id, str(uuid7())) == NOT_FOUND
    assert await here.use.conversation.read(ana(tenant=OTHER), made.conversation_id, None) == NOT_FOUND


async def listed(here: World, view: View = View.ALL, query: str | None = None) -> list[str]:
    page = await here.use.conversation.list(ana(), view, None, query, Cut())
    assert not isinstance(page, Refused)
    return [one.conversation.conversation_id for one in page.items]


async def test_lists_show_unread_first_mine_and_what_is_searched(here: World) -> None:
    older, newer = here.conversation(), here.conversation(last_at=NOW + timedelta(hours=1), created_by="rui")
    mine = await here.use.send.handle(ana(), older.conversation_id, content(), Key("k", "h"))
    assert isinstance(mine, Message)
    await here.use.send.handle(rui(), newer.conversation_id, content(), Key("l", "h"))
    fresh = str(uuid4())
    await here.use.inbound.handle(
        mail(CHANNEL, fresh, sender=InboundAddress(address="joao@praça.test", name="João Ávila"), subject="Pedido 1234")
    )
    assert await listed(here) == [fresh, newer.conversation_id, older.conversation_id]
    assert await listed(here, View.UNREAD) == [fresh]
    assert await listed(here, View.MINE) == [older.conversation_id]
    for query in ("joao", "AVILA", "pedido 12", "joao@praça", "joao@", "João pedi"):
        assert await listed(here, query=query) == [fresh], query
    for query in ("oao", "pedido 13", "!!", "joao carla"):
        assert await listed(here, query=query) == [], query
    page = await here.use.conversation.list(ana(), None, None, None, Cut())
    assert not isinstance(page, Refused)
    assert [
        one.message and one.message.message_id for one in page.items if one.conversation == page.items[2].conversation
    ] == [mine.message_id]
    assert isinstance(await here.use.conversation.list(ana(), "what", None, None, Cut()), Refused)


async def test_a_mail_is_read_whole_and_hidden(here: World) -> None:
    made = here.conversation()
    told = mail(CHANNEL, made.conversation_id)
    await here.use.inbound.handle(told)
    stored = await here.ports.bodies.put(TENANT, "long text", "text/plain")
    where = (TENANT, told.data.message_id)
    here.arrivals.kept[where] = replace(here.arrivals.kept[where], text=None, text_ref=stored)
    read = await here.use.message.handle(ana(), told.data.message_id)
    assert isinstance(read, Inbound)
    assert read.text == "long text"
    assert await here.use.message.handle(ana(tenant=OTHER), told.data.message_id) == NOT_FOUND
    assert isinstance(await here.use.message.hide(ana(), told.data.message_id), Inbound)
    opened = await here.use.conversation.handle(ana(), made.conversation_id, Cut())
    assert not isinstance(opened, Refused)
    assert opened.messages.items == ()


async def test_what_could_not_be_read_is_seen_with_its_channel(here: World) -> None:
    told = unreadable(CHANNEL)
    for _ in range(2):
        await here.use.aside.handle(told)
    page = await here.use.aside.list(ana(), CHANNEL, Cut())
    assert not isinstance(page, Refused)
    assert [(one.message_id, one.reason) for one in page.items] == [(told.data.message_id, "cpu")]
    assert await here.use.aside.list(ana(tenant=OTHER), CHANNEL, Cut()) == NOT_FOUND
