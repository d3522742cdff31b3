"""Recovery, giving up, intake, the horizon, back-off and the rate: the smaller rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts import limits
from services.outbox.domain import give_up, horizon
from services.outbox.domain.backoff import Backoff, auth_pause
from services.outbox.domain.document import Policy, Reason, Status
from services.outbox.domain.facts import Told
from services.outbox.domain.intake import born
from services.outbox.domain.rate import Bucket
from services.outbox.domain.recover import recovered
from tests.model.story import minted
from tests.unit.outbox.made import LATER, NOW, A, S, cancel, message, states, transmitting


def test_recovery_concerns_only_whom_the_transmission_went_to() -> None:
    it = message(Status.COMMITTED, S.OPEN, S.OPEN, transmission=transmitting(A))
    after = recovered(it, NOW, LATER).after
    assert (after.status, states(after), after.attempt) == (Status.COMMITTED, [S.UNKNOWN, S.OPEN], 3)


def test_recovery_parks() -> None:
    after = recovered(message(Status.COMMITTED, transmission=transmitting(A)), NOW, LATER).after
    assert (after.status, after.reason) == (Status.FAILED, Reason.OUTCOME_UNKNOWN)


def test_recovery_tries_again_where_the_channel_says_so_but_not_against_a_wish() -> None:
    it = message(Status.COMMITTED, transmission=transmitting(A), policy=Policy.RESEND)
    assert states(recovered(it, NOW, LATER).after) == [S.MAYBE]
    held = message(Status.COMMITTED, transmission=transmitting(A), policy=Policy.RESEND, held_cancels=(cancel(),))
    assert states(recovered(held, NOW, LATER).after) == [S.UNKNOWN]


def test_expiry_needs_its_time_and_nobody_transmitting() -> None:
    late = message(expires_at=NOW)
    decision = give_up.expire(late, NOW)
    assert decision is not None
    assert (decision.after.status, decision.after.reason) == (Status.FAILED, Reason.EXPIRED)
    assert give_up.expire(message(), NOW) is None
    assert give_up.expire(message(Status.COMMITTED, transmission=transmitting(), expires_at=NOW), NOW) is None


def test_a_removed_channel_ends_what_waits() -> None:
    decision = give_up.remove_channel(message(), NOW)
    assert decision is not None
    assert decision.after.reason is Reason.CHANNEL_REMOVED
    assert give_up.remove_channel(message(Status.SENT), NOW) is None


def test_what_is_wrong_at_birth_is_born_failed() -> None:
    assert born(message(), NOW, None).facts == (Told.QUEUED,)
    assert born(message(), NOW, Reason.INVALID).after.reason is Reason.INVALID
    stale = born(message(expires_at=NOW), NOW, None)
    assert (stale.after.status, stale.after.reason, stale.after.raw) == (Status.FAILED, Reason.EXPIRED, None)


def test_the_age_gate_reads_the_time_in_the_id() -> None:
    old = minted(NOW - timedelta(seconds=limits.AGE_GATE + 1), 1)
    young = minted(NOW - timedelta(seconds=limits.AGE_GATE - 1), 1)
    assert horizon.too_old(NOW, young, old)
    assert not horizon.too_old(NOW, young, "e3b0c442-98fc-4c14-9afb-f4c8996fb924")
    assert horizon.minted_at(old) == NOW - timedelta(seconds=limits.AGE_GATE + 1)


@pytest.mark.parametrize(("tries", "chance", "seconds"), [(0, 0.5, 60), (1, 0.5, 120), (99, 0.5, 3600), (0, 0, 48)])
def test_the_back_off_doubles_up_to_its_most(tries: int, chance: float, seconds: float) -> None:
    assert Backoff(60, 3600).seconds(tries, chance) == pytest.approx(seconds)


def test_refused_logins_wait_an_hour_six_and_a_day() -> None:
    assert [auth_pause(failures) / 3600 for failures in range(4)] == [1, 6, 24, 24]


def test_the_bucket_lets_a_burst_go_and_then_its_rate() -> None:
    bucket, now, taken = Bucket(60), NOW, 0
    while now < NOW + timedelta(seconds=30):
        now = max(now, bucket.ready_at(now))
        bucket.take(now)
        taken += 1
    assert 35 <= taken <= 37


def test_no_limit_never_waits() -> None:
    bucket = Bucket()
    for _ in range(1000):
        assert bucket.ready_at(NOW) == NOW
        bucket.take(NOW)
