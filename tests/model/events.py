"""The events a story is told with."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from contracts.conversation import Correspondent
from contracts.event import Event, event
from contracts.message import CancelRequested, MessageComposed, SentCopyFound, SignatureUsed
from contracts.signature import Why
from tests.model.story import START, TENANT, Story, Wish

CHANNEL_ID = "00000000-0000-7000-8000-000000000001"
CONVERSATION_ID = "00000000-0000-7000-8000-000000000002"


def composed(told: Story) -> Event[MessageComposed]:
    """The message."""
    data = MessageComposed(
        message_id=told.message_id, conversation_id=CONVERSATION_ID, channel_id=CHANNEL_ID, channel_version=1,
        operator_id=None, operator_version=None, requested_by="op", internet_message_id="<m@example.com>",
        to=tuple(Correspondent(address=each) for each in told.recipients), subject="Hello", text="Hello",
        undo_seconds=told.undo_seconds, accepted_at=START, expires_at=START + timedelta(seconds=told.life_seconds),
        sender=Correspondent(address="desk@example.com"), signature=SignatureUsed(why=Why.NONE),
    )  # fmt: skip
    return event(TENANT, data, at=START, source="signature")


def cancel(told: Story, wish: Wish) -> Event[CancelRequested]:
    """A wish to interrupt it."""
    data = CancelRequested(
        message_id=told.message_id, cancel_id=wish.cancel_id, requested_by="op", requested_at=START,
    )  # fmt: skip
    return event(wish.tenant, data, at=START, source="gateway")


def found(told: Story) -> Event[SentCopyFound]:
    """Its copy stands in the Sent mailbox."""
    data = SentCopyFound(message_id=told.message_id, channel_id=CHANNEL_ID, found_at=START)
    return event(TENANT, data, at=START, source="ingest")


def channel(*, resend: bool) -> Any:
    """As much of a channel as intake looks at."""
    policy = SimpleNamespace(value="resend" if resend else "park")
    return SimpleNamespace(removed=False, settings=SimpleNamespace(policy=policy))
