"""Intake: how a message is born (DESIGN §3.1).

```
nothing there -> queued | failed (invalid, expired, channel removed)
a tombstone   -> interrupted, whatever else is wrong with it; its cancels are answered
a message     -> left alone: a redelivery
```
"""

from __future__ import annotations

from datetime import datetime

from services.outbox.domain.conclude import give_up, has_expired, interrupted
from services.outbox.domain.document import Message, Reason, Status, altered
from services.outbox.domain.facts import Decision, Told


def born(message: Message, now: datetime, wrong: Reason | None) -> Decision:
    """The document of a message nobody has cancelled; ``wrong``: why it can't be sent, if something is."""
    if has_expired(message, now):
        wrong = Reason.EXPIRED
    if wrong is None:
        return Decision(message, (Told.QUEUED,))
    failed = altered(
        message, status=Status.FAILED, reason=wrong, terminal_at=now, recipients=give_up(message.recipients), raw=None,
    )  # fmt: skip
    return Decision(failed, (Told.FAILED,))


def born_interrupted(tombstone: Message, message: Message, now: datetime) -> Decision | None:
    """The document where cancels came first; None where the tombstone has been answered for good already."""
    if tombstone.terminal_at is not None:
        return None
    whole = altered(
        message, version=tombstone.version + 1, held_cancels=tombstone.held_cancels, created_at=tombstone.created_at,
        attempt=tombstone.attempt, raw=None, owed=tombstone.owed,
    )  # fmt: skip
    return interrupted(whole, now)
