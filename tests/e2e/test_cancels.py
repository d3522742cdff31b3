"""Every cancel gets exactly one true answer, also one that no REST call made: repeated, late, another tenant's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from contracts.event import event
from contracts.message import CancelRequested
from contracts.topics import CANCEL_REQUESTS, OUTBOUND
from services.kit.clock import SystemClock
from services.kit.ids import uuid7
from services.kit.publisher import Publisher
from tests.e2e.desk import Desk
from tests.e2e.ear import Ear
from tests.infra.stack import Stack


@pytest.fixture(scope="module")
async def messages(desk: Desk, channel: str, slow: str) -> dict[str, str]:
    """One that was sent, one that was interrupted (by three who clicked at once), one that waits."""
    made = {
        "sent": await desk.send(await desk.conversation(channel, "cancel-sent@client.test")),
        "interrupted": await desk.send(await desk.conversation(slow, "cancel-undo@client.test")),
        "waiting": await desk.send(await desk.conversation(slow, "cancel-waits@client.test")),
    }
    answers = await asyncio.gather(*(desk.interrupt(made["interrupted"]) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {200}
    await desk.reached(made["sent"], "sent")
    await desk.reached(made["waiting"], "queued")
    return made


async def _cancel(publisher: Publisher, tenant: str, message_id: str, times: int = 1) -> str:
    """A cancel straight onto the topic, as often as asked, as if a gateway repeated itself; its id."""
    now, cancel_id = SystemClock().now(), str(uuid7())
    wish = CancelRequested(message_id=message_id, cancel_id=cancel_id, requested_by="x", requested_at=now)
    for _ in range(times):
        await publisher.publish(event(tenant, wish, at=now, source="gateway"))
    return cancel_id


@pytest.fixture(scope="module")
async def cancels(desk: Desk, stack: Stack, messages: dict[str, str], ear: Ear) -> dict[str, str]:
    """Cancels that no REST call made: tripled, a second one, and one of another tenant for a message of this one."""
    publisher = Publisher(stack.kafka, "cancels")
    await publisher.start()
    made = {
        "tripled": await _cancel(publisher, desk.tenant, messages["sent"], 3),
        "second": await _cancel(publisher, desk.tenant, messages["interrupted"]),
        "foreign": await _cancel(publisher, str(uuid7()), messages["waiting"]),
    }
    await publisher.stop()
    await ear.until(lambda: {made["tripled"], made["second"]} <= {one.cancel_id for one in _answers(ear)})
    await ear.settle(1.0)
    return made


def _answers(ear: Ear) -> list[Any]:
    """Every answer to a cancel, repeats (the same event id) left out."""
    found = {one.id: one.data for one in ear.events(OUTBOUND.name) if one.type == "InterruptAnswered"}
    return list(found.values())


def test_each_cancel_is_answered_exactly_once_and_truly(
    messages: dict[str, str], cancels: dict[str, str], ear: Ear
) -> None:
    answers = {one.cancel_id: (one.outcome, one.status) for one in _answers(ear)}
    assert len(answers) == len(_answers(ear)), "two answers to one cancel"
    wished = {one.data.cancel_id for one in ear.events(CANCEL_REQUESTS.name)}
    assert wished - {cancels["foreign"]} == set(answers)
    assert answers[cancels["tripled"]] == ("too_late", "sent")
    assert answers[cancels["second"]] == ("already_interrupted", "interrupted")
    first = [one for one in _answers(ear) if one.message_id == messages["interrupted"] and one.outcome == "interrupted"]
    assert len(first) == 1


async def test_another_tenants_cancel_moves_nothing(
    desk: Desk, messages: dict[str, str], cancels: dict[str, str]
) -> None:
    seen = await desk.message(messages["waiting"])
    assert (seen["status"], seen["cancels"]) == ("queued", [])
