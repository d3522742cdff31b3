"""Judging a history: pure functions that find every broken promise of DESIGN §3 in what was recorded.

Nothing here trusts one witness: an answer is held against the final state, the final state against the octets at the
peer, and both against the wishes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from tests.chaos.history import History, Spoken, Taken
from tests.chaos.verdict import FINAL, INTERRUPTED, Message, Verdict, messages

SLACK_S = 0.005
"""How far stamps of two processes on one machine may disagree (the database stores milliseconds)."""


def judge(history: History) -> Verdict:
    """Every broken promise in a history that has come to rest."""
    verdict = Verdict()
    for message in messages(history):
        verdict.messages += 1
        _judge_transmissions(message, verdict)
        _judge_finals(message, verdict)
        _judge_outcomes(message, verdict)
        _judge_answers(message, verdict)
        _judge_replies(message, verdict)
        _judge_settled(message, verdict)
    _judge_foreign(history, verdict)
    return verdict


def _judge_transmissions(message: Message, verdict: Verdict) -> None:
    copies: Counter[str] = Counter()
    for one in sorted(message.taken, key=lambda taken: taken.began_at):
        for recipient in one.recipients:
            if copies[recipient]:
                verdict.note("doubled", message.message_id, "content given again to a recipient who had or may have it")
            copies[recipient] += one.accepted or one.in_doubt
    if message.status != "interrupted" and not _said_interrupted(message):
        return
    stamp = min((one.at for one in message.spoken if one.kind == "MessageInterrupted"), default=0.0)
    for one in message.taken:
        if one.accepted or one.in_doubt:
            verdict.note("interrupted_and_transmitted", message.message_id, f"peer took it whole (reply {one.code})")
        elif one.ended_at > stamp + SLACK_S:
            verdict.note("interrupted_and_transmitted", message.message_id, "content left after the interrupt")


def _said_interrupted(message: Message) -> bool:
    by_event = any(one.outcome in INTERRUPTED for one in message.answers())
    return by_event or any(reply.code == 200 for reply in message.replies)


def _judge_finals(message: Message, verdict: Verdict) -> None:
    if len(message.finals()) > 1:
        verdict.note("untrue", message.message_id, f"two ends: {sorted(one.kind for one in message.finals())}")
    bodies: dict[str, str] = {}
    for one in message.spoken:
        if bodies.setdefault(one.event_id, one.body) != one.body:
            verdict.note("untrue", message.message_id, f"{one.kind} repeated with other content")
    final = message.final
    if final is None:
        return
    for address in _accepted_addresses(message.taken):
        if final.recipients.get(address) not in ("accepted", "unknown") and final.kind != "MessageInterrupted":
            verdict.note("untrue", message.message_id, f"peer accepted, {final.kind} says otherwise")
    missing = {address for address, state in final.recipients.items() if state == "accepted"}
    if missing - _accepted_addresses(message.taken):
        verdict.note("lost", message.message_id, "said to be accepted, the peer never did")
    if final.kind == "MessageInterrupted" and not message.wishes:
        verdict.note("untrue", message.message_id, "interrupted and nobody of its tenant wished it")
    if message.parked:
        verdict.note("parked", message.message_id, "outcome unknown")


def _accepted_addresses(taken: Iterable[Taken]) -> set[str]:
    return {recipient for one in taken if one.accepted for recipient in one.recipients}


def _judge_outcomes(message: Message, verdict: Verdict) -> None:
    by_cancel: dict[str, list[Spoken]] = defaultdict(list)
    for answer in message.answers():
        by_cancel[answer.cancel_id or ""].append(answer)
    for cancel_id, answers in by_cancel.items():
        if len(answers) > 1:
            said = sorted({f"{one.outcome}/{one.status}" for one in answers})
            verdict.note("two_outcomes", cancel_id, f"{len(answers)} answers: {said}")


def _judge_answers(message: Message, verdict: Verdict) -> None:
    for answer in message.answers():
        if lie := lie_of(answer.outcome, answer.status, message.status, bool(message.accepted)):
            verdict.note("untrue", message.message_id, f"answered {answer.outcome}/{answer.status}, {lie}")


def lie_of(outcome: str | None, status: str | None, end: str | None, known: bool) -> str | None:
    """Why an answer contradicts the message's `end` (None: it has none yet), or None when it is true."""
    if outcome == "unknown_message":
        return "the message is known" if known or end else None
    if outcome in INTERRUPTED:
        return None if end == "interrupted" else f"the message ended {end}"
    if outcome != "too_late":
        return "no such outcome"
    if status in FINAL.values() and status != "interrupted":
        return None if end == status else f"the message ended {end}"
    if status != "committed":
        return "too late needs a status that is past interrupting"
    return None if end in ("sent", "failed") else f"the message ended {end}"


def _judge_replies(message: Message, verdict: Verdict) -> None:
    for reply in message.replies:
        if reply.code in (200, 409):
            outcome = "interrupted" if reply.code == 200 else "too_late"
            status = reply.status or ("committed" if reply.code == 409 else None)
            if lie := lie_of(outcome, status, message.status, bool(message.accepted)):
                verdict.note("untrue", message.message_id, f"REST {reply.code} {reply.status}, {lie}")


def _judge_settled(message: Message, verdict: Verdict) -> None:
    if message.accepted and not message.spoken:
        verdict.note("lost", message.message_id, "accepted, and never heard of again")
    elif message.accepted and message.final is None:
        verdict.note("unsettled", message.message_id, f"last heard: {message.spoken[-1].kind}")
    if not message.accepted:
        return
    answered = {one.cancel_id for one in message.answers()}
    heard = {reply.wish: reply for reply in message.replies}
    for wish in message.wishes:
        reply = heard.get(wish.wish)
        cancel_id = wish.cancel_id or (reply.cancel_id if reply else None)
        if cancel_id is None and (reply is None or reply.code != 202):
            continue  # answered from a final state without asking, or never taken: nothing more was promised
        if cancel_id not in answered and not (cancel_id is None and answered):
            verdict.note("unsettled", message.message_id, f"cancel {wish.wish} ({wish.via}) has no answer")


def _judge_foreign(history: History, verdict: Verdict) -> None:
    owners = {one.message_id: one.tenant for one in history.accepted}
    for said in history.spoken:
        owner = owners.get(said.message_id)
        if owner and said.tenant != owner and said.outcome != "unknown_message":
            verdict.note("untrue", said.message_id, f"{said.kind} in another tenant's name")
    taken = {wish.wish: wish for wish in history.wishes if wish.foreign}
    for reply in history.replies:
        if reply.wish in taken and reply.code not in (404, 0):  # 0: no answer came
            verdict.note("untrue", taken[reply.wish].message_id, f"a foreign wish was answered {reply.code}")
