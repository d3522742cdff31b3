"""A cancel meets a message (DESIGN §3.6).

```
nothing                          -> a tombstone that holds it
a tombstone                      -> held too
queued                           -> interrupted
committed, a transmission open   -> held: the settle answers
committed, waiting for a retry   -> those still to try are stopped, answered
sent, failed, interrupted        -> answered from the document, nothing is written
```
"""

from __future__ import annotations

from datetime import datetime

from services.outbox.domain.answers import answer, holds
from services.outbox.domain.conclude import conclude, interrupted
from services.outbox.domain.document import Cancel, Message, Status, altered
from services.outbox.domain.facts import Answered, Decision, changed


def tombstone(tenant: str, message_id: str, wish: Cancel) -> Message:
    """The document of a message that was cancelled before it arrived."""
    return Message(tenant, message_id, Status.UNSEEN, held_cancels=(wish,))


def cancel(message: Message, wish: Cancel, now: datetime) -> Decision | Answered | None:
    """What this wish does to that document: a change, an answer without a change, or nothing (it is held already)."""
    if message.terminal or message.terminal_at is not None:
        return answer(message, wish)
    if holds(message, wish.cancel_id):
        return None
    held = altered(message, held_cancels=(*message.held_cancels, wish))
    if message.status is Status.QUEUED:
        return interrupted(altered(held, version=message.version + 1), now)
    if keeps_wishes(message):
        return changed(message, held_cancels=held.held_cancels)
    return conclude(held, message.recipients, now, now, message.attempt)


def keeps_wishes(message: Message) -> bool:
    """Whether the document can only hold a wish for now: unseen, or in the middle of a transmission."""
    return message.status is Status.UNSEEN or message.transmission is not None
