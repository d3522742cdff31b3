"""Accepting a message: what is written, what it owes, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.message import SendRequested
from services.gateway.domain.message import Message, Person, Status
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from services.gateway.ports import Key
from tests.unit.gateway.world import ANA, CHANNEL, NOW, OTHER, TENANT, World, ana, channel, content, settings, world

KEY = Key("messages/1", "hash")


@pytest.fixture
async def here() -> World:
    return await world()


async def send(here: World, key: Key = KEY, **changes: Any) -> Message | Refused:
    conversation = next(iter(here.conversations.kept.values()), None) or here.conversation()
    return await here.use.send.handle(ana(), conversation.conversation_id, content(**changes), key)


async def accepted(here: World, key: Key = KEY, **changes: Any) -> Message:
    found = await send(here, key, **changes)
    assert isinstance(found, Message), found
    return found


async def test_the_message_and_its_event_are_one_write(here: World) -> None:
    message = await accepted(here)
    (doc_id, owed), *_ = here.messages.spoken
    assert doc_id == f"{TENANT}/{message.message_id}"
    said = owed.data
    assert isinstance(said, SendRequested)
    assert (said.message_id, said.channel_id, said.channel_version) == (message.message_id, CHANNEL, 3)
    assert (said.operator_id, said.operator_version, said.requested_by) == (ANA, 1, "ana")
    assert [one.address for one in said.to] == ["carla@client.test"]
    assert (said.undo_seconds, said.accepted_at, said.expires_at) == (7, NOW, NOW + timedelta(days=1))
    assert said.internet_message_id == f"<{message.message_id}@acme.test>"
    assert (message.status, message.interruptible, owed.source) == (Status.ACCEPTED, True, "/malote/gateway")


async def test_replies_are_threaded_and_references_end_at_twenty(here: World) -> None:
    sent = [await accepted(here, Key(f"messages/{n}", "h")) for n in range(25)]
    ids = [one.internet_message_id for one in sent]
    assert (sent[0].in_reply_to, sent[0].references) == (None, ())
    assert (sent[1].in_reply_to, sent[1].references) == (ids[0], (ids[0],))
    assert (sent[24].in_reply_to, sent[24].references) == (ids[23], tuple(ids[4:24]))


async def test_a_reply_goes_to_everybody_but_ourselves(here: World) -> None:
    people = (Person("carla@client.test"), Person("DESK@acme.test"), Person("joao@client.test"))
    here.conversation(participants=people)
    assert [one.address for one in (await accepted(here)).to] == ["carla@client.test", "joao@client.test"]


async def test_the_subject_is_the_conversations_when_none_is_given(here: World) -> None:
    assert (await accepted(here, subject=None)).subject == "Re: Your order"
    here.conversations.kept.clear()
    here.conversation(subject=None)
    refused = await send(here, Key("messages/2", "h"), subject=None)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.faults[0].field) == (Code.INVALID, "subject")


async def test_the_same_key_and_body_get_the_same_message(here: World) -> None:
    first = await accepted(here)
    assert (await accepted(here)).message_id == first.message_id
    assert len(here.messages.spoken) == 1
    other = await send(here, Key("messages/1", "another hash"))
    assert isinstance(other, Refused)
    assert other.code is Code.IDEMPOTENCY_MISMATCH


async def test_a_retry_keeps_its_answer_whatever_changed_meanwhile(here: World) -> None:
    first = await accepted(here)
    here.channels.kept[TENANT, CHANNEL] = channel(removed=True, version=4)
    assert (await accepted(here)).message_id == first.message_id
    fresh = await send(here, Key("messages/2", "h"))
    assert isinstance(fresh, Refused)
    assert fresh.code is Code.CONFLICT


async def test_long_bodies_travel_by_reference(here: World) -> None:
    inline, by_ref = "x" * 65_536, "é" * 32_769
    message = await accepted(here, text=inline, html=by_ref)
    assert (message.text, message.text_ref, message.html) == (inline, None, None)
    assert message.html_ref is not None
    assert message.html_ref.size == 65_538
    said = here.messages.spoken[0][1].data
    assert (said.html, said.html_ref.media_type) == (None, "text/html")
    read = await here.use.message.handle(ana(), message.message_id)
    assert isinstance(read, Message)
    assert read.html == by_ref


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"subject": "a\r\nBcc: x@y.test"}, Code.INVALID, "subject"),
        ({"subject": "a\0"}, Code.INVALID, "subject"),
        ({"subject": " "}, Code.INVALID, "subject"),
        ({"subject": "é" * 500}, Code.INVALID, "subject"),
        ({"text": None}, Code.INVALID, "text"),
        ({"text": " \n"}, Code.INVALID, "text"),
        ({"text": "a\0b"}, Code.INVALID, "text"),
        ({"text": "é" * (512 * 1024 + 1)}, Code.TOO_LARGE, "text"),
        ({"html": "x" * (1024 * 1024 + 1)}, Code.TOO_LARGE, "html"),
    ],
)
async def test_what_no_message_may_hold(here: World, changes: dict[str, Any], code: Code, field: str) -> None:
    refused = await send(here, **changes)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.faults[0].field) == (code, field)
    assert not here.messages.spoken


async def test_subjects_of_998_octets_pass(here: World) -> None:
    assert (await accepted(here, subject="é" * 499)).subject == "é" * 499


async def test_who_may_not_send_is_told(here: World) -> None:
    here.tenants.kept[TENANT, "tenant"] = here.tenants.kept[TENANT, "tenant"].model_copy(
        update={"email_enabled": False}
    )
    assert await _code(here) is Code.EMAIL_DISABLED
    here.tenants.kept.clear()
    assert await _code(here) is Code.EMAIL_DISABLED


async def test_an_unknown_or_inactive_operator_does_not_write(here: World) -> None:
    here.operators.kept[TENANT, ANA] = here.operators.kept[TENANT, ANA].model_copy(update={"active": False})
    assert await _code(here) is Code.FORBIDDEN
    del here.operators.kept[TENANT, ANA]
    assert await _code(here) is Code.INVALID


async def test_a_program_sends_without_an_operator(here: World) -> None:
    conversation = here.conversation()
    who = replace(ana(), operator=None)
    message = await here.use.send.handle(who, conversation.conversation_id, content(), KEY)
    assert isinstance(message, Message)
    assert (message.operator_id, message.operator_version) == (None, None)


async def test_a_full_backlog_is_told_when_to_come_again(here: World) -> None:
    here.backlog.most = 2
    for n in range(2):
        await accepted(here, Key(f"messages/{n}", "h"))
    refused = await send(here, Key("messages/3", "h"))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.retry_after) == (Code.RATE_LIMITED, 5)
    assert isinstance(await send(here, Key("messages/1", "h")), Message)


async def test_a_foreign_conversation_is_not_there(here: World) -> None:
    conversation = here.conversation(tenant=OTHER)
    assert await here.use.send.handle(ana(), conversation.conversation_id, content(), KEY) == NOT_FOUND


async def test_replies_work_where_nobody_may_write_first(here: World) -> None:
    here.channels.kept[TENANT, CHANNEL] = channel(settings=settings(write_first=False))
    await accepted(here)


async def test_an_overdue_message_is_asked_for_again_as_the_same_event(here: World) -> None:
    message = await accepted(here)
    here.clock.advance(86_400 + 3_600 - 1)
    assert await here.use.overdue.handle() == 0
    here.clock.advance(2)
    assert await here.use.overdue.handle() == 1
    assert await here.use.overdue.handle() == 0
    first, again = (owed for _, owed in here.messages.spoken)
    assert (again.id, again.data) == (first.id, first.data)
    assert message.message_id == again.data.message_id


async def _code(here: World) -> Code:
    refused = await send(here)
    assert isinstance(refused, Refused)
    return refused.code
