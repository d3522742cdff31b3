"""The end of an attempt: recipients decide the status, held cancels are answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.outbox.domain import attempt
from services.outbox.domain.classify import Kind
from services.outbox.domain.document import Message, Policy, Reason, Status
from services.outbox.domain.facts import Answered, Outcome, Told
from tests.unit.outbox.made import LATER, NOW, A, B, S, cancel, message, states, transmitting, verdict


def committed(*recipients: S, **fields: Any) -> Message:
    return message(Status.COMMITTED, *recipients, transmission=transmitting(A, B), **fields)


@pytest.mark.parametrize(
    ("kind", "policy", "before", "after"),
    [
        (Kind.ACCEPTED, Policy.PARK, S.OPEN, S.ACCEPTED),
        (Kind.MESSAGE_FINAL, Policy.PARK, S.OPEN, S.REFUSED),
        (Kind.MESSAGE_FINAL, Policy.RESEND, S.MAYBE, S.UNKNOWN),
        (Kind.TEMPORARY, Policy.PARK, S.OPEN, S.OPEN),
        (Kind.TEMPORARY, Policy.RESEND, S.MAYBE, S.MAYBE),
        (Kind.CHANNEL_THROTTLED, Policy.PARK, S.OPEN, S.OPEN),
        (Kind.UNKNOWN, Policy.PARK, S.OPEN, S.UNKNOWN),
        (Kind.UNKNOWN, Policy.RESEND, S.OPEN, S.MAYBE),
    ],
)
def test_a_verdict_moves_a_recipient(kind: Kind, policy: Policy, before: S, after: S) -> None:
    it = message(Status.COMMITTED, before, policy=policy)
    assert [each.state for each in attempt.judged(it, {A: verdict(kind)})] == [after]


def test_accepted_by_all_is_sent() -> None:
    decision = attempt.settled(
        committed(S.OPEN, S.OPEN), dict.fromkeys((A, B), verdict(Kind.ACCEPTED, 250)), NOW, LATER
    )
    after = decision.after
    assert (after.status, after.transmission, after.version, after.terminal_at) == (Status.SENT, None, 4, NOW)
    assert decision.facts == (Told.SENT,)
    assert after.recipients[0].code == 250


def test_deferred_by_all_shows_the_clock_again() -> None:
    decision = attempt.settled(committed(S.OPEN), {A: verdict(Kind.TEMPORARY, 451)}, NOW, LATER)
    assert (decision.after.status, decision.after.due_at, decision.after.tries) == (Status.QUEUED, LATER, 1)
    assert decision.facts == (Told.DEFERRED,)


def test_one_accepted_keeps_the_message_out_of_the_queue() -> None:
    verdicts = {A: verdict(Kind.ACCEPTED), B: verdict(Kind.TEMPORARY, 451)}
    assert attempt.settled(committed(S.OPEN, S.OPEN), verdicts, NOW, LATER).after.status is Status.COMMITTED


def test_a_held_cancel_is_granted_when_nobody_has_it() -> None:
    held = (cancel(1), cancel(2))
    decision = attempt.settled(committed(S.OPEN, held_cancels=held), {A: verdict(Kind.TEMPORARY)}, NOW, LATER)
    assert decision.after.status is Status.INTERRUPTED
    assert decision.after.interrupted_by == held
    assert decision.facts[0] is Told.INTERRUPTED
    assert [each.outcome for each in decision.facts[1:] if isinstance(each, Answered)] == [Outcome.INTERRUPTED] * 2


def test_a_held_cancel_stops_the_rest_when_somebody_has_it() -> None:
    verdicts = {A: verdict(Kind.ACCEPTED), B: verdict(Kind.TEMPORARY)}
    decision = attempt.settled(committed(S.OPEN, S.OPEN, held_cancels=(cancel(),)), verdicts, NOW, LATER)
    assert (decision.after.status, states(decision.after)) == (Status.SENT, [S.ACCEPTED, S.STOPPED])
    assert decision.facts == (Told.SENT, Answered(cancel(), Outcome.TOO_LATE, Status.SENT))


def test_a_held_cancel_of_an_expired_message_is_too_late() -> None:
    it = committed(S.OPEN, held_cancels=(cancel(),), expires_at=NOW)
    decision = attempt.settled(it, {A: verdict(Kind.TEMPORARY)}, NOW, LATER)
    assert (decision.after.status, decision.after.reason) == (Status.FAILED, Reason.EXPIRED)
    assert decision.facts[1] == Answered(cancel(), Outcome.TOO_LATE, Status.FAILED)


def test_refused_by_all_before_data_fails_without_a_commit() -> None:
    decision = attempt.ended_before_data(message(), {A: verdict(Kind.RECIPIENT_FINAL, 550)}, NOW, LATER)
    assert (decision.after.status, decision.after.reason, decision.after.attempt) == (Status.FAILED, Reason.REFUSED, 3)


def test_an_unknown_outcome_is_parked() -> None:
    decision = attempt.settled(committed(S.OPEN), {A: verdict(Kind.UNKNOWN)}, NOW, LATER)
    assert (decision.after.status, decision.after.reason) == (Status.FAILED, Reason.OUTCOME_UNKNOWN)


def test_a_retry_is_never_due_after_the_end() -> None:
    ends = NOW + timedelta(seconds=5)
    decision = attempt.settled(committed(S.OPEN, expires_at=ends), {A: verdict(Kind.TEMPORARY)}, NOW, LATER)
    assert decision.after.due_at == ends
