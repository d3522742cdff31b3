"""Messages, cancels and times for the outbox's unit tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.outbox.domain.classify import Kind, Verdict
from services.outbox.domain.document import Cancel, Message, Recipient, RecipientState, Status, Transmission
from services.outbox.domain.replies import Reply

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
TENANT, MESSAGE_ID = "acme", "019cc000-0000-7000-8000-000000000001"
CHANNEL, CONVERSATION = "019cc000-0000-7000-8000-0000000000c1", "019cc000-0000-7000-8000-0000000000d1"
A, B = "a@client.test", "b@client.test"
S = RecipientState


def cancel(number: int = 1) -> Cancel:
    """A wish."""
    return Cancel(f"019cc000-0000-7000-8000-00000000000{number}", "ana", NOW)


def message(status: Status = Status.QUEUED, *states: RecipientState, **fields: Any) -> Message:
    """A message with recipients in these states, by default one that is open."""
    recipients = tuple(Recipient(address, state) for address, state in zip((A, B), states or (S.OPEN,), strict=False))
    wanted: dict[str, Any] = {
        "channel_id": CHANNEL, "conversation_id": CONVERSATION, "recipients": recipients, "due_at": NOW,
        "expires_at": NOW + timedelta(hours=24), "accepted_at": NOW, "version": 3, "attempt": 2,
    }  # fmt: skip
    return Message(TENANT, MESSAGE_ID, status, **(wanted | fields))


def transmitting(*to: str, by: str = "me/1") -> Transmission:
    """An open DATA."""
    return Transmission(by, to or (A,), NOW + timedelta(seconds=315))


def verdict(kind: Kind, code: int | None = None) -> Verdict:
    """What an answer meant."""
    return Verdict(kind, Reply(code, None, "said so") if code else None)


def states(of: Message) -> list[RecipientState]:
    """The recipients' states in order."""
    return [each.state for each in of.recipients]
