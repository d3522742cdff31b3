"""A parked message whose copy stands in the account's Sent mailbox: its provider took it.

```
failed (outcome unknown), one transmission in its life --a Sent copy was found--> sent; who was unknown is accepted
anything else                                          --a Sent copy was found--> nothing
```

A provider files what it takes, so a copy proves one transmission. Of a message with several it would prove none in
particular: that stays parked, for a person to decide. Absence proves nothing and is not told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.outbox.domain.document import Message, Reason, RecipientState, Status
from services.outbox.domain.facts import Decision, Told, changed

FIRST: Final = 1


def resolved(message: Message, now: datetime) -> Decision | None:
    """What the finding does to that document; None where it proves nothing about it."""
    if message.status is not Status.FAILED or message.reason is not Reason.OUTCOME_UNKNOWN:
        return None
    if not only_transmission(message):
        return None
    recipients = tuple(
        replace(each, state=RecipientState.ACCEPTED) if each.state is RecipientState.UNKNOWN else each
        for each in message.recipients
    )
    return changed(message, Told.SENT, status=Status.SENT, reason=None, recipients=recipients, resolved_at=now)


def only_transmission(message: Message) -> bool:
    """Whether the transmission in doubt is the first and only one that ever was opened."""
    return message.transmissions == FIRST
