"""What the answers to an envelope, and to DATA, mean for the take-up."""

from __future__ import annotations

from collections.abc import Sequence

from services.outbox.domain.classify import PAUSES, Kind, Verdict, classify
from services.outbox.domain.replies import Answer, NoReply, Reply, Stage

GO = 354
Verdicts = dict[str, Verdict]


def judge(to: Sequence[str], mail: Answer, rcpt: Sequence[Answer]) -> Verdicts:
    """The verdict for each recipient; a MAIL that was not taken speaks for all of them."""
    first = classify(Stage.MAIL, mail)
    if first.kind is not Kind.ACCEPTED:
        return dict.fromkeys(to, first)
    said = [*rcpt, *[NoReply()] * (len(to) - len(rcpt))]
    return {address: classify(Stage.RCPT, answer) for address, answer in zip(to, said, strict=False)}


def lost(mail: Answer, rcpt: Sequence[Answer]) -> bool:
    """Whether the connection is gone, so that no DATA can follow."""
    return any(isinstance(each, NoReply) for each in (mail, *rcpt))


def pausing(verdicts: Verdicts) -> Verdict | None:
    """The answer that says the whole lane should wait, if one does."""
    return next((each for each in verdicts.values() if each.kind in PAUSES), None)


def taken(verdicts: Verdicts) -> tuple[str, ...]:
    """The recipients the server takes."""
    return tuple(address for address, each in verdicts.items() if each.kind is Kind.ACCEPTED)


def not_taken(verdicts: Verdicts) -> Verdicts:
    """The verdicts of the others."""
    return {address: each for address, each in verdicts.items() if each.kind is not Kind.ACCEPTED}


def goes(answer: Answer) -> bool:
    """Whether the server waits for the content."""
    return isinstance(answer, Reply) and answer.code == GO


def in_step(answer: Answer) -> bool:
    """Whether the session can go on after this refusal: a plain 4yz or 5yz."""
    return isinstance(answer, Reply) and 400 <= answer.code < 600
