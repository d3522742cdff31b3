"""The answer to a cancel: a function of (terminal document, cancel id), so that a repeat repeats it (DESIGN §3.6).

A parked message that was resolved later keeps giving the answer it gave while it was parked.
"""

from __future__ import annotations

from services.outbox.domain.document import Cancel, Message, Status
from services.outbox.domain.facts import Answered, Outcome


def answer(message: Message, cancel: Cancel) -> Answered:
    """What this cancel is told by a message that has ended, or by a tombstone that nothing will follow any more."""
    if message.status is Status.UNSEEN:
        return Answered(cancel, Outcome.UNKNOWN_MESSAGE, None)
    if message.status is not Status.INTERRUPTED:
        return Answered(cancel, Outcome.TOO_LATE, message.status if message.resolved_at is None else Status.FAILED)
    mine = any(each.cancel_id == cancel.cancel_id for each in message.interrupted_by)
    return Answered(cancel, Outcome.INTERRUPTED if mine else Outcome.ALREADY_INTERRUPTED, message.status)


def unknown(cancel: Cancel) -> Answered:
    """The answer where there is no message and none will come: it is older than anything we keep."""
    return Answered(cancel, Outcome.UNKNOWN_MESSAGE, None)


def holds(message: Message, cancel_id: str) -> bool:
    """Whether this very cancel waits in the document already: a redelivery adds nothing."""
    return any(each.cancel_id == cancel_id for each in message.held_cancels)
