"""One attempt: may it be taken up, what a commit writes, how it ends before DATA and after (DESIGN §3.3, §3.4).

```
take-up: MAIL, RCPTs --nobody accepted, connection lost--> ended  (attempt + 1)
                     --somebody accepted--> commit (attempt + 1, transmission) --DATA, content--> settled
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.outbox.domain.classify import Kind, Verdict
from services.outbox.domain.conclude import conclude, tries_somebody
from services.outbox.domain.document import (
    SCHEMA,
    Message,
    Policy,
    Recipient,
    RecipientState,
    Status,
    Transmission,
)
from services.outbox.domain.facts import Decision, Told, changed

Verdicts = Mapping[str, Verdict]
"""By recipient address; a recipient who is not in it was not tried and stays."""
_WAITING = frozenset({Status.QUEUED, Status.COMMITTED})
_FINAL = frozenset({Kind.RECIPIENT_FINAL, Kind.MESSAGE_FINAL})
_S = RecipientState


def can_be_taken_up(message: Message) -> bool:
    """Whether an attempt may begin, its times aside: nobody transmits it, somebody is to be tried."""
    waits = message.status in _WAITING and message.transmission is None
    return waits and message.schema <= SCHEMA and tries_somebody(message.recipients)


def commit(message: Message, stamp: str, accepted: tuple[str, ...], refusals: Verdicts, until: datetime) -> Decision:
    """What the commit writes: the transmission to those RCPT accepted, and the refusals of the others."""
    return changed(
        message, Told.COMMITTED, status=Status.COMMITTED, attempt=message.attempt + 1,
        transmissions=message.transmissions + 1, recipients=judged(message, refusals),
        transmission=Transmission(stamp, accepted, until),
    )  # fmt: skip


def ended_before_data(message: Message, verdicts: Verdicts, now: datetime, again_at: datetime) -> Decision:
    """A take-up that ended without a commit."""
    return conclude(message, judged(message, verdicts), now, again_at, message.attempt + 1)


def settled(message: Message, verdicts: Verdicts, now: datetime, again_at: datetime) -> Decision:
    """The end of our own transmission."""
    return conclude(message, judged(message, verdicts), now, again_at, message.attempt)


def is_ours(message: Message | None, committed: Message) -> bool:
    """Whether the document, read again, still carries the stamp of that commit: else recovery has it."""
    stamp = committed.transmission.by if committed.transmission else None
    by = message.transmission.by if message and message.transmission else None
    return message is not None and message.attempt == committed.attempt and by == stamp and stamp is not None


def judged(message: Message, verdicts: Verdicts) -> tuple[Recipient, ...]:
    """The recipients after these verdicts."""
    return tuple(_judge(each, verdicts.get(each.address), message.policy) for each in message.recipients)


def _judge(recipient: Recipient, verdict: Verdict | None, policy: Policy) -> Recipient:
    if verdict is None:
        return recipient
    state, doubtful = recipient.state, recipient.state is _S.MAYBE
    if verdict.kind is Kind.ACCEPTED:
        state = _S.ACCEPTED
    elif verdict.kind is Kind.UNKNOWN:
        state = in_doubt(policy)
    elif verdict.kind in _FINAL:
        state = _S.UNKNOWN if doubtful else _S.REFUSED  # refused now, but an earlier copy may have arrived
    reply = verdict.reply
    if reply is None:
        return replace(recipient, state=state)
    return replace(recipient, state=state, code=reply.code, enhanced=reply.enhanced, text=reply.text or None)


def in_doubt(policy: Policy) -> RecipientState:
    """What a recipient becomes whose outcome nobody can know; it never goes back to open."""
    return _S.MAYBE if policy is Policy.RESEND else _S.UNKNOWN
