"""Parked messages: sent again, or marked as sent."""

from __future__ import annotations

from typing import Any

import pytest

from services.gateway.domain.message import Message, Recipient, Status
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from services.gateway.ports import Key
from services.kit.unavailable import Unanswered
from tests.unit.gateway.world import ANA, OTHER, TENANT, World, ana, rui, world

KEY = Key("resend/1", "hash")


@pytest.fixture
async def here() -> World:
    return await world()


async def parked(here: World) -> Message:
    recipients = (Recipient("carla@client.test", "unknown"),)
    return await here.message(status=Status.FAILED, reason="outcome_unknown", recipients=recipients)


async def test_a_parked_message_is_sent_again_once(here: World) -> None:
    old = await parked(here)
    assert old.parked
    boss = rui("messages:resolve")
    first = await here.use.resend.handle(boss, old.message_id, KEY)
    again = await here.use.resend.handle(boss, old.message_id, KEY)
    assert isinstance(first, Message)
    assert isinstance(again, Message)
    assert first.message_id == again.message_id != old.message_id
    assert (first.resend_of, first.subject, first.text) == (old.message_id, old.subject, old.text)
    assert (first.operator_id, first.requested_by) == (ANA, "rui")
    kept = here.messages.kept[TENANT, old.message_id]
    assert kept.resolution is not None
    assert (kept.resolution.kind, kept.resolution.message_id, kept.parked) == ("resent", first.message_id, False)
    assert kept.status is Status.FAILED
    other = await here.use.resend.handle(boss, old.message_id, Key("resend/2", "hash"))
    assert isinstance(other, Refused)
    assert other.code is Code.CONFLICT


async def test_only_whom_nobody_can_know_about_gets_it_again(here: World) -> None:
    old = await parked(here)
    recipients = (Recipient("carla@client.test", "accepted"), Recipient("joao@client.test", "unknown"))
    old = await here.message(status=Status.SENT, recipients=recipients)
    assert old.parked
    assert old.in_doubt == ("joao@client.test",)


async def test_a_retry_after_a_crash_sends_the_same_message(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = await parked(here)

    async def lost(*_: object) -> None:
        raise Unanswered("told to fail")

    with monkeypatch.context() as patched:
        patched.setattr(here.messages, "accept", lost)
        with pytest.raises(Unanswered):
            await here.use.resend.handle(ana(), old.message_id, KEY)
    promised = here.messages.kept[TENANT, old.message_id].resolution
    made = await here.use.resend.handle(ana(), old.message_id, KEY)
    assert isinstance(made, Message)
    assert promised is not None
    assert made.message_id == promised.message_id


async def test_a_parked_message_is_marked_as_sent_and_keeps_its_status(here: World) -> None:
    old = await parked(here)
    for _ in range(2):
        marked = await here.use.mark.handle(rui(), old.message_id)
        assert isinstance(marked, Message)
        assert marked.resolution is not None
        assert (marked.status, marked.resolution.kind, marked.resolution.by) == (Status.FAILED, "marked_sent", "rui")
    refused = await here.use.resend.handle(ana(), old.message_id, KEY)
    assert isinstance(refused, Refused)
    assert refused.code is Code.CONFLICT


@pytest.mark.parametrize(
    "progress", [{"status": Status.QUEUED}, {"status": Status.SENT}, {"status": Status.FAILED, "reason": "refused"}]
)
async def test_a_known_outcome_is_nothing_to_decide_about(here: World, progress: dict[str, Any]) -> None:
    message = await here.message(**progress)
    for refused in (
        await here.use.mark.handle(ana(), message.message_id),
        await here.use.resend.handle(ana(), message.message_id, KEY),
    ):
        assert isinstance(refused, Refused)
        assert refused.code is Code.CONFLICT


async def test_a_foreign_message_is_not_there(here: World) -> None:
    old = await parked(here)
    stranger = ana(tenant=OTHER)
    assert await here.use.mark.handle(stranger, old.message_id) == NOT_FOUND
    assert await here.use.resend.handle(stranger, old.message_id, KEY) == NOT_FOUND
    assert await here.use.message.handle(stranger, old.message_id) == NOT_FOUND
    assert await here.use.message.hide(stranger, old.message_id) == NOT_FOUND
