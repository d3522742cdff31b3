"""The end of an attempt, whatever ended it: the recipients' states decide the status, held cancels are answered here.

```
expired                     open -> refused, maybe -> unknown
a cancel is held:
  all open or refused       -> interrupted: nobody has it
  somebody may have it      open -> stopped, maybe -> unknown
somebody is still to try    -> queued if nobody may have it, else committed; deferred either way
nobody is                   -> sent if somebody accepted, else failed
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.outbox.domain.answers import answer
from services.outbox.domain.document import (
    MAY_HAVE_IT,
    TO_TRY,
    Message,
    Reason,
    Recipient,
    RecipientState,
    Status,
    altered,
)
from services.outbox.domain.facts import Decision, Told

Recipients = tuple[Recipient, ...]
_S = RecipientState
_GIVE_UP: Mapping[RecipientState, RecipientState] = {_S.OPEN: _S.REFUSED, _S.MAYBE: _S.UNKNOWN}
_STOP: Mapping[RecipientState, RecipientState] = {_S.OPEN: _S.STOPPED, _S.MAYBE: _S.UNKNOWN}


def conclude(before: Message, recipients: Recipients, now: datetime, again_at: datetime, attempt: int) -> Decision:
    """The decision for a message whose attempt ended with the recipients like this.

    ``before`` may hold cancels; ``again_at``: when somebody still to try is tried; ``attempt``: the new count. The
    transmission, if any, is over.
    """
    message = altered(before, version=before.version + 1, attempt=attempt, transmission=None, recipients=recipients)
    if has_expired(before, now) and tries_somebody(recipients):
        return _end(altered(message, recipients=give_up(recipients)), now, Reason.EXPIRED)
    if before.held_cancels and tries_somebody(recipients):
        if nobody_has_it(recipients):
            return interrupted(message, now)
        message = altered(message, recipients=stopped(recipients))
    if tries_somebody(message.recipients):
        return _again(message, again_at)
    return _end(message, now, Reason.REFUSED)


def interrupted(message: Message, now: datetime) -> Decision:
    """Final: nobody has it and nobody will; every held cancel is told so. The version is already raised."""
    ended = replace(
        message, status=Status.INTERRUPTED, interrupted_by=message.held_cancels, held_cancels=(), terminal_at=now,
    )  # fmt: skip
    return Decision(ended, (Told.INTERRUPTED, *(answer(ended, each) for each in ended.interrupted_by)))


def give_up(recipients: Recipients) -> Recipients:
    """Nobody is tried any more."""
    return _moved(recipients, _GIVE_UP)


def stopped(recipients: Recipients) -> Recipients:
    """A cancel stops those who are still to try."""
    return _moved(recipients, _STOP)


def tries_somebody(recipients: Recipients) -> bool:
    """Whether an attempt would go to anybody."""
    return any(each.state in TO_TRY for each in recipients)


def nobody_has_it(recipients: Recipients) -> bool:
    """Whether surely no server has accepted it."""
    return not any(each.state in MAY_HAVE_IT for each in recipients)


def has_expired(message: Message, now: datetime) -> bool:
    """Whether its time to be submitted is over."""
    return message.expires_at is not None and message.expires_at <= now


def _again(message: Message, again_at: datetime) -> Decision:
    back = Status.QUEUED if nobody_has_it(message.recipients) else Status.COMMITTED
    due = min(again_at, message.expires_at) if message.expires_at else again_at
    return Decision(altered(message, status=back, due_at=due, tries=message.tries + 1), (Told.DEFERRED,))


def _end(message: Message, now: datetime, why: Reason) -> Decision:
    sent = any(each.state is _S.ACCEPTED for each in message.recipients)
    unsure = any(each.state is _S.UNKNOWN for each in message.recipients)
    reason = None if sent else Reason.OUTCOME_UNKNOWN if unsure else why
    status = Status.SENT if sent else Status.FAILED
    ended = altered(message, status=status, reason=reason, held_cancels=(), terminal_at=now)
    told = Told.SENT if sent else Told.FAILED
    return Decision(ended, (told, *(answer(ended, each) for each in message.held_cancels)))


def end_without_trying(before: Message, now: datetime, why: Reason) -> Decision:
    """Final without another attempt (expired, channel removed): whoever is still to try is given up."""
    message = altered(before, version=before.version + 1, recipients=give_up(before.recipients))
    return _end(message, now, why)


def _moved(recipients: Recipients, moves: Mapping[RecipientState, RecipientState]) -> Recipients:
    return tuple(replace(each, state=moves.get(each.state, each.state)) for each in recipients)
