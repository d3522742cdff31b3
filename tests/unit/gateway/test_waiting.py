"""What waits for the desk, as the lists and the numbers beside them show it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.outbound import FailureReason, KnownBy, MessageCommitted, MessageFailed, MessageSent, RecipientReport
from contracts.outbound import RecipientState as State
from services.gateway.domain.answers import Listed, Waiting
from services.gateway.domain.message import Status
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND
from tests.unit.gateway.mails import bounce, unreadable
from tests.unit.gateway.test_projecting import Outbox
from tests.unit.gateway.world import CHANNEL, NOW, OTHER, TENANT, Http, World, ana, token, world

NOTHING = Waiting(0, 0, 0, 0)


@pytest.fixture
async def here() -> World:
    return await world()


async def shown(here: World, view: str) -> list[Listed]:
    """The view."""
    page = await here.use.conversation.list(ana(), view, None, None, Cut())
    assert isinstance(page, Page)
    return list(page.items)


def report(state: State) -> RecipientReport:
    return RecipientReport(address="carla@client.test", state=state)


async def test_the_clock_view_is_about_the_message_under_the_clock(here: World) -> None:
    made, done = await here.message(), await here.message(status=Status.SENT)
    (one,) = await shown(here, "clock")
    assert one.message is not None
    assert (one.message.message_id, one.conversation.conversation_id) == (made.message_id, made.conversation_id)
    assert (await here.use.waiting.handle(ana())).clock == 1
    assert done.conversation_id not in [row.conversation.conversation_id for row in await shown(here, "clock")]


@pytest.mark.parametrize(
    ("kind", "fields", "asks"),
    [
        (MessageSent, {"sent_at": NOW, "recipients": (report(State.ACCEPTED),)}, False),
        (MessageSent, {"sent_at": NOW, "recipients": (report(State.ACCEPTED), report(State.REFUSED))}, True),
        (MessageSent, {"sent_at": NOW, "recipients": (report(State.UNKNOWN),)}, True),
        (MessageFailed, {"failed_at": NOW, "reason": FailureReason.EXPIRED, "recipients": ()}, True),
        (MessageFailed, {"failed_at": NOW, "reason": FailureReason.OUTCOME_UNKNOWN, "recipients": ()}, True),
        (MessageCommitted, {"attempt": 1, "recipients": ("carla@client.test",)}, False),
    ],
)
async def test_what_was_not_sent_or_not_to_all_asks_for_attention(
    here: World, kind: type, fields: dict[str, object], asks: bool
) -> None:
    made = await here.message()
    await Outbox(here, made).says(kind, 2, **fields)
    assert [one.conversation.trouble for one in await shown(here, "attention")] == [(made.message_id,)] * asks
    assert (await here.use.waiting.handle(ana())).attention == int(asks)


async def test_a_copy_in_the_sent_mailbox_ends_the_doubt(here: World) -> None:
    made = await here.message()
    outbox = Outbox(here, made)
    await outbox.says(MessageFailed, 2, failed_at=NOW, reason=FailureReason.OUTCOME_UNKNOWN, recipients=())
    assert len(await shown(here, "attention")) == 1
    accepted = (report(State.ACCEPTED),)
    await outbox.says(MessageSent, 3, sent_at=NOW, recipients=accepted, known_by=KnownBy.SENT_COPY)
    assert await shown(here, "attention") == []


async def test_marking_hiding_or_seeing_to_it_ends_the_trouble(here: World) -> None:
    parked: dict[str, Any] = {"status": Status.FAILED, "reason": "outcome_unknown"}
    for act in (here.use.mark.handle, here.use.message.hide):
        made = await here.message(**parked)
        await here.conversations.ask_attention(TENANT, made.conversation_id, made.message_id)
        assert len(await shown(here, "attention")) == 1
        await act(ana(), made.message_id)
        assert await shown(here, "attention") == []
    made = await here.message(**parked)
    await here.conversations.ask_attention(TENANT, made.conversation_id, made.message_id)
    assert await here.use.conversation.attended(ana(tenant=OTHER), made.conversation_id) == NOT_FOUND
    await here.use.conversation.attended(ana(), made.conversation_id)
    assert await here.use.waiting.handle(ana()) == NOTHING


async def test_a_returned_mail_is_shown_with_the_message_it_speaks_of(here: World) -> None:
    made = await here.message(status=Status.SENT)
    await here.use.inbound.handle(bounce(CHANNEL, made.conversation_id, made.message_id))
    (one,) = await shown(here, "attention")
    assert one.message is not None
    assert one.message.message_id == made.message_id


async def test_over_http(here: World) -> None:
    await here.use.aside.handle(unreadable(CHANNEL))
    (mail_id,) = (one.message_id for one in here.arrivals.quarantined.values())
    await here.message()
    http = Http(here)
    counted = await http.call("GET", "/v1/waiting")
    assert counted.json() == {"unread": 0, "clock": 1, "attention": 0, "unreadable": 1}
    listed = await http.call("GET", "/v1/quarantined")
    assert [one["message_id"] for one in listed.json()["items"]] == [mail_id]
    hide, foreign = f"/v1/quarantined/{mail_id}/hide", {"Authorization": f"Bearer {token(tenant=OTHER)}"}
    assert (await http.call("POST", hide, headers=foreign)).status_code == 404
    assert (await http.call("POST", hide)).json()["hidden"] is True
    assert (await http.call("GET", "/v1/quarantined")).json()["items"] == []
    row = (await http.call("GET", "/v1/conversations?view=clock")).json()["items"][0]["last"]
    assert (row["status"], row["interruptible"], row["requested_by"]) == ("accepted", True, "ana")
