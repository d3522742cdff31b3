"""What a cancel does to each kind of document, and that a repeat repeats the answer."""

from __future__ import annotations

import pytest

from services.outbox.domain.cancel import cancel as meets
from services.outbox.domain.cancel import tombstone
from services.outbox.domain.document import Message, Status
from services.outbox.domain.facts import Answered, Decision, Outcome, Told
from services.outbox.domain.horizon import orphan
from services.outbox.domain.intake import born_interrupted
from tests.unit.outbox.made import MESSAGE_ID, NOW, TENANT, S, cancel, message, states, transmitting


def decided(it: Message, number: int = 1) -> Decision:
    found = meets(it, cancel(number), NOW)
    assert isinstance(found, Decision)
    return found


def test_queued_is_interrupted_and_a_repeat_is_told_the_same() -> None:
    decision = decided(message())
    assert decision.after.status is Status.INTERRUPTED
    assert decision.facts == (Told.INTERRUPTED, Answered(cancel(), Outcome.INTERRUPTED, Status.INTERRUPTED))
    assert meets(decision.after, cancel(), NOW) == decision.facts[1]
    other = meets(decision.after, cancel(2), NOW)
    assert other == Answered(cancel(2), Outcome.ALREADY_INTERRUPTED, Status.INTERRUPTED)


def test_an_open_transmission_holds_it_once() -> None:
    decision = decided(message(Status.COMMITTED, transmission=transmitting()))
    assert (decision.after.held_cancels, decision.facts) == ((cancel(),), ())
    assert meets(decision.after, cancel(), NOW) is None


def test_waiting_for_a_retry_the_open_are_stopped() -> None:
    decision = decided(message(Status.COMMITTED, S.ACCEPTED, S.OPEN))
    assert (decision.after.status, states(decision.after)) == (Status.SENT, [S.ACCEPTED, S.STOPPED])
    assert decision.facts == (Told.SENT, Answered(cancel(), Outcome.TOO_LATE, Status.SENT))


@pytest.mark.parametrize("status", [Status.SENT, Status.FAILED])
def test_ended_is_too_late(status: Status) -> None:
    it = message(status, terminal_at=NOW)
    assert meets(it, cancel(), NOW) == Answered(cancel(), Outcome.TOO_LATE, status)


def test_a_tombstone_keeps_wishes_until_the_message_comes() -> None:
    grave = decided(tombstone(TENANT, MESSAGE_ID, cancel(1)), 2).after
    decision = born_interrupted(grave, message(version=1), NOW)
    assert decision is not None
    assert (decision.after.status, decision.after.version) == (Status.INTERRUPTED, grave.version + 1)
    assert decision.facts[1:] == tuple(
        Answered(cancel(number), Outcome.INTERRUPTED, Status.INTERRUPTED) for number in (1, 2)
    )


def test_an_orphan_is_told_that_there_is_no_message() -> None:
    decision = orphan(tombstone(TENANT, MESSAGE_ID, cancel()), NOW)
    assert decision.facts == (Answered(cancel(), Outcome.UNKNOWN_MESSAGE, None),)
    assert meets(decision.after, cancel(), NOW) == decision.facts[0]
    assert born_interrupted(decision.after, message(), NOW) is None
