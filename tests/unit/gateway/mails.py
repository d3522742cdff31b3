"""Mails as ingest tells of them; everything replaceable by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.blob import BlobRef
from contracts.event import Event, event
from contracts.inbound import (
    BouncedRecipient,
    BounceReceived,
    InboundAddress,
    InboundMail,
    MessageQuarantined,
    MessageReceived,
    Place,
)
from services.kit.ids import uuid7

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def this_moment() -> datetime:
    """Now, in whole milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def blob(size: int = 3, media_type: str = "message/rfc822") -> BlobRef:
    """A reference to something."""
    return BlobRef(blob_id=str(uuid7()), sha256="0" * 64, size=size, media_type=media_type)


def mail(
    channel_id: str, conversation_id: str, *, tenant: str = "acme", kind: type[InboundMail] = MessageReceived,
    at: datetime = NOW, seconds: float = 0, **changes: Any,
) -> Event[Any]:  # fmt: skip
    """A mail that arrived live so many seconds after noon."""
    at += timedelta(seconds=seconds)
    message_id = changes.pop("message_id", None) or str(uuid7())
    fields: dict[str, Any] = {
        "message_id": message_id, "conversation_id": conversation_id, "channel_id": channel_id,
        "place": Place(mailbox="INBOX", uidvalidity=1, uid=1), "sha256": "0" * 64, "size": 3, "raw": blob(),
        "received_at": at, "internet_message_id": f"<{message_id}@client.test>",
        "sender": InboundAddress(address="carla@client.test", name="Carla"), "subject": "Where is it?",
        "text": "Where is my order?", **changes,
    }  # fmt: skip
    return event(tenant, kind(**fields), at=at, source="ingest")


def bounce(channel_id: str, conversation_id: str, bounced: str | None, **changes: Any) -> Event[Any]:
    """A delivery report about a message."""
    failed = BouncedRecipient(address="carla@client.test", status="5.1.1", diagnostic="550 no such user")
    daemon = InboundAddress(address="MAILER-DAEMON@client.test", name="")
    fields = {"bounced_message_id": bounced, "recipients": (failed,), "sender": daemon, "auto": "bounce", **changes}
    return mail(channel_id, conversation_id, kind=BounceReceived, **fields)


def unreadable(channel_id: str, *, tenant: str = "acme", **changes: Any) -> Event[MessageQuarantined]:
    """A mail that could not be read."""
    fields: dict[str, Any] = {
        "message_id": str(uuid7()), "channel_id": channel_id, "reason": "cpu", "size": 7, "raw": blob(7),
        "place": Place(mailbox="INBOX", uidvalidity=1, uid=2), "received_at": NOW, **changes,
    }  # fmt: skip
    return event(tenant, MessageQuarantined(**fields), at=NOW, source="ingest")
