"""Interrupting: who may, what is asked, and that every answer is true."""

from __future__ import annotations

import pytest

from contracts.event import event
from contracts.message import CancelRequested
from contracts.outbound import InterruptAnswered, InterruptOutcome, MessageInterrupted, Status
from services.gateway.domain.answers import Interrupted, Undecided
from services.gateway.domain.message import Message
from services.gateway.domain.message import Status as Shown
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused
from tests.unit.gateway.world import NOW, OTHER, TENANT, World, ana, rui, world


@pytest.fixture
async def here() -> World:
    return await world()


def cancels(here: World) -> list[CancelRequested]:
    return [one.data for one in here.events() if isinstance(one.data, CancelRequested)]


def answers(here: World, message: Message, outcome: InterruptOutcome, status: Status | None) -> None:
    """The outbox answers every cancel while the gateway waits."""

    async def meanwhile() -> None:
        for wish in cancels(here):
            said = InterruptAnswered(
                message_id=message.message_id, cancel_id=wish.cancel_id, outcome=outcome, status=status
            )
            await here.use.project.handle(event(TENANT, said, at=NOW, source="outbox"))

    here.waits.meanwhile = meanwhile


async def test_the_author_asks_and_is_answered(here: World) -> None:
    message = await here.message(status=Shown.QUEUED)
    answers(here, message, InterruptOutcome.INTERRUPTED, Status.INTERRUPTED)
    answer = await here.use.interrupt.handle(ana("messages:interrupt"), message.message_id)
    assert isinstance(answer, Interrupted)
    (wish,) = cancels(here)
    assert (answer.outcome, answer.cancel_id) == ("interrupted", wish.cancel_id)
    assert (wish.message_id, wish.requested_by) == (message.message_id, "ana")
    assert here.waits.woken == [f"message/{TENANT}/{wish.message_id}"]
    (kept,) = answer.message.cancels
    assert [(one.by, one.at) for one in kept.asked] == [("ana", NOW)]


async def test_too_late_says_what_it_reached(here: World) -> None:
    message = await here.message(status=Shown.COMMITTED)
    answers(here, message, InterruptOutcome.TOO_LATE, Status.SENT)
    answer = await here.use.interrupt.handle(ana(), message.message_id)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.status, answer.cancel_id) == (Code.TOO_LATE, "sent", cancels(here)[0].cancel_id)


async def test_without_an_answer_it_is_undecided_and_the_next_one_joins(here: World) -> None:
    message = await here.message(status=Shown.COMMITTED)
    first = await here.use.interrupt.handle(ana(), message.message_id)
    boss = ana("messages:interrupt:any")
    second = await here.use.interrupt.handle(boss, message.message_id)
    assert isinstance(first, Undecided)
    assert isinstance(second, Undecided)
    assert first.cancel_id == second.cancel_id
    assert len(cancels(here)) == 1
    (kept,) = second.message.cancels
    assert len(kept.asked) == 2


async def test_after_an_answer_a_new_wish_is_a_new_cancel(here: World) -> None:
    message = await here.message(status=Shown.COMMITTED)
    answers(here, message, InterruptOutcome.TOO_LATE, Status.COMMITTED)
    for _ in range(2):
        assert isinstance(await here.use.interrupt.handle(ana(), message.message_id), Refused)
    assert len(cancels(here)) == 2


@pytest.mark.parametrize("status", [Shown.SENT, Shown.FAILED])
async def test_a_final_message_is_answered_from_what_is_known(here: World, status: Shown) -> None:
    message = await here.message(status=status)
    answer = await here.use.interrupt.handle(ana(), message.message_id)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.status, answer.cancel_id) == (Code.TOO_LATE, status, None)
    assert not cancels(here)


async def test_an_interrupted_one_stays_interrupted(here: World) -> None:
    message = await here.message(status=Shown.INTERRUPTED)
    answer = await here.use.interrupt.handle(ana(), message.message_id)
    assert isinstance(answer, Interrupted)
    assert (answer.outcome, answer.cancel_id) == ("already_interrupted", None)


async def test_only_its_author_or_who_may_interrupt_any(here: World) -> None:
    message = await here.message(status=Shown.QUEUED)
    refused = await here.use.interrupt.handle(rui(), message.message_id)
    assert isinstance(refused, Refused)
    assert refused.code is Code.FORBIDDEN
    assert not cancels(here)
    assert isinstance(await here.use.interrupt.handle(rui("messages:interrupt:any"), message.message_id), Undecided)


async def test_a_foreign_message_is_not_there(here: World) -> None:
    message = await here.message(status=Shown.QUEUED)
    assert await here.use.interrupt.handle(ana(tenant=OTHER), message.message_id) == NOT_FOUND
    assert not cancels(here)


async def test_somebody_elses_change_is_met_by_reading_again(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await here.message(status=Shown.QUEUED)
    asked, misses = here.messages.ask, iter([False, False])

    async def ask(*args: object) -> bool:
        return next(misses, True) and await asked(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(here.messages, "ask", ask)
    assert isinstance(await here.use.interrupt.handle(ana(), message.message_id), Undecided)
    assert len(cancels(here)) == 1


async def test_a_cancel_from_elsewhere_is_kept_with_who_asked(here: World) -> None:
    message = await here.message(status=Shown.QUEUED)
    said = InterruptAnswered(
        message_id=message.message_id, cancel_id="0192f0c0-0000-7000-8000-000000000001",
        outcome=InterruptOutcome.INTERRUPTED, status=Status.INTERRUPTED, requested_by="another program",
    )  # fmt: skip
    fact = MessageInterrupted(
        version=2, message_id=message.message_id, conversation_id=message.conversation_id,
        channel_id=message.channel_id, interrupted_at=NOW, interrupted_by=("another program",),
    )  # fmt: skip
    for data in (fact, said, said):
        await here.use.project.handle(event(TENANT, data, at=NOW, source="outbox"))
    kept = here.messages.kept[TENANT, message.message_id]
    assert (kept.status, kept.interruptible) == (Shown.INTERRUPTED, False)
    assert [(one.asked[0].by, one.outcome) for one in kept.cancels] == [("another program", "interrupted")]
