"""SentCopyOffered: a message of ours is to be filed in the account's Sent mailbox, a little later."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta

from contracts.event import Event
from contracts.message import SentCopyOffered
from services.ingest.domain.sent_copy import FIRST_S, SentCopy
from services.ingest.ports import Clock, CopyStore


@dataclass(frozen=True, slots=True)
class NoteCopy:
    """Answers SentCopyOffered."""

    copies: CopyStore
    clock: Clock

    async def handle(self, offered: Event[SentCopyOffered]) -> None:
        """Raises Unavailable."""
        said = offered.data
        await self.copies.put(
            SentCopy(
                offered.tenant, said.channel_id, said.message_id, said.internet_message_id, said.sent_at,
                self.clock.now() + timedelta(seconds=FIRST_S),
                octets=None if said.mime is None else base64.b64decode(said.mime),
                blob_id=said.mime_ref.blob_id if said.mime_ref else None,
                sha256=said.mime_ref.sha256 if said.mime_ref else "",
            )
        )  # fmt: skip
