"""Recovery: a transmission that is surely over and was never settled (DESIGN §3.5). It concerns only its recipients.

Policy park: they are unknown, the message ends parked. Policy resend: maybe, tried again, unless a cancel is held.
Absence from a Sent folder proves nothing and is not looked at.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.outbox.domain.attempt import in_doubt
from services.outbox.domain.conclude import conclude
from services.outbox.domain.document import TO_TRY, Message, Recipient
from services.outbox.domain.facts import Decision


def recovered(message: Message, now: datetime, again_at: datetime) -> Decision:
    """The decision for a message whose transmission's ``until`` has passed; ``attempt`` rises, which ends every claim
    of the replica that held it."""
    recipients = tuple(_doubted(message, each) for each in message.recipients)
    return conclude(message, recipients, now, again_at, message.attempt + 1)


def _doubted(message: Message, recipient: Recipient) -> Recipient:
    if recipient.address not in in_transmission(message) or recipient.state not in TO_TRY:
        return recipient
    return replace(recipient, state=in_doubt(message.policy))


def in_transmission(message: Message) -> tuple[str, ...]:
    """The addresses the open transmission goes to: only these can be in doubt."""
    return message.transmission.to if message.transmission else ()
