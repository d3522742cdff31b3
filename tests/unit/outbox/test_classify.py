"""The classifier's table, row by row, with replies as servers give them."""

from __future__ import annotations

import pytest

from services.outbox.domain import envelope
from services.outbox.domain.classify import TABLE, Kind, classify
from services.outbox.domain.replies import NoReply, Reply, Stage
from tests.unit.outbox.made import A, B

CASES = [
    (Stage.CONTENT, Reply(250, "2.0.0"), Kind.ACCEPTED),
    (Stage.RCPT, Reply(251), Kind.ACCEPTED),
    (Stage.DATA, Reply(250), Kind.TEMPORARY),
    (Stage.RCPT, Reply(550, "5.1.1"), Kind.RECIPIENT_FINAL),
    (Stage.RCPT, Reply(450, "4.7.1", "greylisted"), Kind.TEMPORARY),
    (Stage.RCPT, Reply(452, "4.5.3"), Kind.TEMPORARY),
    (Stage.RCPT, Reply(552), Kind.TEMPORARY),
    (Stage.RCPT, Reply(552, "5.5.3"), Kind.TEMPORARY),
    (Stage.RCPT, Reply(552, "5.2.2", "mailbox full"), Kind.RECIPIENT_FINAL),
    (Stage.RCPT, Reply(553, "5.6.7"), Kind.RECIPIENT_FINAL),
    (Stage.MAIL, Reply(552, "5.3.4"), Kind.MESSAGE_FINAL),
    (Stage.MAIL, Reply(550, "5.7.1", "sender not allowed"), Kind.MESSAGE_FINAL),
    (Stage.CONTENT, Reply(554, "5.7.1", "spam"), Kind.MESSAGE_FINAL),
    (Stage.CONTENT, Reply(451, "4.3.0"), Kind.TEMPORARY),
    (Stage.MAIL, Reply(530, "5.7.0", "authentication required"), Kind.CHANNEL_AUTH),
    (Stage.MAIL, Reply(535, "5.7.8"), Kind.CHANNEL_AUTH),
    (Stage.MAIL, Reply(550, "5.7.14"), Kind.CHANNEL_AUTH),
    (Stage.MAIL, Reply(454, "4.7.0"), Kind.CHANNEL_THROTTLED),
    (Stage.MAIL, Reply(421, "4.7.0", "try again later"), Kind.CHANNEL_THROTTLED),
    (Stage.MAIL, Reply(421, "4.3.0", "shutting down"), Kind.TEMPORARY),
    (Stage.CONTENT, Reply(550, "5.4.5", "daily sending quota exceeded"), Kind.CHANNEL_THROTTLED),
    (Stage.CONTENT, Reply(432, "4.3.2", "concurrent connections limit"), Kind.CHANNEL_THROTTLED),
    (Stage.MAIL, Reply(432), Kind.CHANNEL_THROTTLED),
    (Stage.RCPT, Reply(450, "4.2.1", "receiving too fast"), Kind.TEMPORARY),
    (Stage.RCPT, Reply(354), Kind.TEMPORARY),
    (Stage.CONTENT, NoReply(dot_sent=True), Kind.UNKNOWN),
    (Stage.CONTENT, NoReply(dot_sent=False), Kind.TEMPORARY),
]


@pytest.mark.parametrize(("stage", "answer", "kind"), CASES)
def test_an_answer_means(stage: Stage, answer: Reply | NoReply, kind: Kind) -> None:
    assert classify(stage, answer).kind is kind


def test_every_row_of_the_table_has_a_case() -> None:
    replies = [(stage, answer) for stage, answer, _ in CASES if isinstance(answer, Reply)]
    used = {next((n for n, row in enumerate(TABLE) if row.fits(*each)), None) for each in replies}
    assert used >= set(range(len(TABLE)))


def test_a_mail_that_is_not_taken_speaks_for_everybody() -> None:
    verdicts = envelope.judge((A, B), Reply(550, "5.7.1"), ())
    assert {each.kind for each in verdicts.values()} == {Kind.MESSAGE_FINAL}


def test_recipients_are_judged_one_by_one() -> None:
    verdicts = envelope.judge((A, B), Reply(250), (Reply(250), Reply(550)))
    assert envelope.taken(verdicts) == (A,)
    assert set(envelope.not_taken(verdicts)) == {B}
    assert not envelope.lost(Reply(250), (Reply(250), Reply(550)))
    assert envelope.lost(Reply(250), (NoReply(),))
