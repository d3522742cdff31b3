"""What waits for the desk: the clock, what asks for attention, what could not be read; fakes and MongoDB alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from contracts.event import Trace
from services.gateway.domain.bounce import Returned
from services.gateway.domain.conversation import View, Wanted
from services.gateway.domain.inbound import Kind, Quarantined, joining_of
from services.gateway.domain.message import Message, Progress, Status
from services.gateway.domain.page import Cut
from services.gateway.handlers.accept_message import send_requested
from services.gateway.ports import Key
from services.kit.ids import uuid7
from tests.ports.test_gateway_arrivals import Stores, inbound, started, stored, stores
from tests.ports.test_gateway_messages import CHANNEL, NOW, TENANT, message

__all__ = ["stores"]


async def listed(stores: Stores, view: View, tenant: str = TENANT, among: tuple[str, ...] = ()) -> list[str]:
    """The ids in the view."""
    page = await stores.conversations.list(tenant, Wanted(view, among=among), Cut())
    return [one.conversation_id for one in page.items]


async def accepted(stores: Stores, talk: str, **changes: object) -> Message:
    """A message that waits."""
    made = message(conversation_id=talk, **changes)
    await stores.messages.accept(made, Key(made.message_id, "h"), send_requested(made, Trace()))
    return made


async def test_the_clock_shows_until_the_outbox_takes_it_up(stores: Stores) -> None:
    here = await started(stores)
    made = [await accepted(stores, here) for _ in range(4)]
    for version, (one, status) in enumerate(zip(made, (Status.QUEUED, Status.COMMITTED, Status.SENT), strict=False)):
        await stores.messages.advance(TENANT, one.message_id, Progress(status, version + 1))
    shown = await stores.messages.clocked(TENANT, 10)
    assert {one.message_id for one in shown} == {made[0].message_id, made[3].message_id}
    assert all((one.text, one.html) == (None, None) for one in shown)
    assert len(await stores.messages.clocked(TENANT, 1)) == 1
    assert await stores.messages.clocked("other", 10) == []
    assert await listed(stores, View.CLOCK, among=(here,)) == [here]
    assert await listed(stores, View.CLOCK) == []
    assert await listed(stores, View.CLOCK, "other", among=(here,)) == []


async def test_trouble_is_told_once_and_ends_when_somebody_sees_to_it(stores: Stores) -> None:
    here, calm = await started(stores), await started(stores)
    one, other = str(uuid7()), str(uuid7())
    await asyncio.gather(
        *(stores.conversations.ask_attention(TENANT, here, id) for id in (one, other) for _ in range(3))
    )
    assert sorted((await stores.now(here)).trouble) == [one, other]
    assert await listed(stores, View.ATTENTION) == [here]
    assert await stores.conversations.count(TENANT, View.ATTENTION, 5) == 1
    assert await stores.conversations.count("other", View.ATTENTION, 5) == 0
    after = await stores.conversations.attended(TENANT, here, one)
    assert after is not None
    assert after.trouble == (other,)
    await stores.conversations.ask_attention(TENANT, here, one)  # the event came again
    assert (await stores.now(here)).trouble == (other,)
    assert await stores.conversations.attended("other", here, None) is None
    after = await stores.conversations.attended(TENANT, here, None)
    assert after is not None
    assert after.trouble == ()
    assert await listed(stores, View.ATTENTION) == []
    assert (await stores.now(calm)).version == 1


async def test_who_writes_again_has_seen_to_it(stores: Stores) -> None:
    here = await started(stores)
    await stores.conversations.ask_attention(TENANT, here, str(uuid7()))
    await stores.conversations.extend(TENANT, here, message(conversation_id=here))
    assert (await stores.now(here)).trouble == ()
    assert await stores.conversations.count(TENANT, View.ATTENTION, 5) == 0


async def test_a_returned_mail_asks_once_for_each_report(stores: Stores) -> None:
    here, sent = await started(stores), str(uuid7())
    report = inbound(here, kind=Kind.BOUNCE, bounced_message_id=sent)
    late = inbound(here, kind=Kind.BOUNCE, bounced_message_id=sent, returned=(Returned("x@y.test", "delayed"),))
    for _ in range(2):
        await stores.conversations.join(TENANT, here, joining_of(late))
        assert (await stores.now(here)).trouble == ()
    await stores.conversations.join(TENANT, here, joining_of(report))
    assert (await stores.now(here)).trouble == (sent,)
    await stores.conversations.attended(TENANT, here, None)
    await stores.conversations.join(TENANT, here, joining_of(report))
    assert (await stores.now(here)).trouble == ()


async def test_unread_conversations_are_counted_up_to_a_limit(stores: Stores) -> None:
    for _ in range(3):
        here = await started(stores)
        await stores.conversations.join(TENANT, here, joining_of(inbound(here)))
    counted = [await stores.conversations.count(TENANT, View.UNREAD, most) for most in (2, 5)]
    assert counted == [2, 3]


async def test_unreadable_mails_of_all_channels_until_they_are_hidden(stores: Stores) -> None:
    made = [Quarantined(TENANT, str(uuid7()), CHANNEL, "cpu", n, NOW + timedelta(hours=n), stored()) for n in range(3)]
    elsewhere = replace(made[1], message_id=str(uuid7()), channel_id="y", received_at=NOW + timedelta(hours=9))
    for one in (*made, elsewhere, replace(made[0], tenant="other")):
        await stores.arrivals.set_aside(one)
    page = await stores.arrivals.aside(TENANT, None, Cut())
    assert page.items == (elsewhere, *made[::-1])
    assert await stores.arrivals.hide_aside("other", made[1].message_id) is None
    hidden = await stores.arrivals.hide_aside(TENANT, made[1].message_id)
    assert hidden == replace(made[1], hidden=True)
    await stores.arrivals.set_aside(made[1])  # the event came again
    assert [one.message_id for one in (await stores.arrivals.aside(TENANT, CHANNEL, Cut())).items] == [
        made[2].message_id, made[0].message_id,
    ]  # fmt: skip
    assert [await stores.arrivals.count_aside(TENANT, most) for most in (2, 9)] == [2, 3]
