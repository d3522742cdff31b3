"""A message that was sent is offered for the account's Sent mailbox, beside everything else and best effort."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from contracts.blob import BlobRef
from contracts.channel import ChannelSettings
from contracts.event import event
from contracts.message import SentCopyOffered
from services.kit import logs
from services.kit.publisher import Publishes
from services.kit.unavailable import Unavailable
from services.outbox.domain.document import Message
from services.outbox.domain.sent_copy import wants_copy
from services.outbox.handlers.facts import SOURCE
from services.outbox.ports import DatabaseClock

log = logs.get_logger()


@dataclass(frozen=True, slots=True)
class OfferCopy:
    """Publishes SentCopyOffered."""

    publisher: Publishes
    database_clock: DatabaseClock

    async def handle(self, message: Message, settings: ChannelSettings) -> None:
        """``message`` with its raw form. Never raises: a copy that is missing is no failure of the message."""
        raw = message.raw
        if raw is None or not wants_copy(settings.sent_copy.value, settings.smtp.host):
            return
        now = self.database_clock.now()
        kept = raw.blob_id is not None
        data = SentCopyOffered(
            message_id=message.message_id, channel_id=message.channel_id, sent_at=now,
            internet_message_id=message.internet_message_id,
            mime=None if raw.octets is None else base64.b64encode(raw.octets).decode("ascii"),
            mime_ref=BlobRef(blob_id=raw.blob_id or "", sha256=raw.sha256, size=raw.size, media_type="message/rfc822")
            if kept
            else None,
        )  # fmt: skip
        try:
            await self.publisher.publish(event(message.tenant, data, at=now, source=SOURCE))
        except Unavailable as error:
            log.warning("copy_not_offered", message_id=message.message_id, reason=str(error))
