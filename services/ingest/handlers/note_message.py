"""MessageQueued: the bytes our own message goes out with, so that it is known when it comes back."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import Event
from contracts.outbound import MessageQueued
from services.ingest.ports import KeepsOwnMails, OwnMail


@dataclass(frozen=True, slots=True)
class NoteMessage:
    """Answers MessageQueued."""

    own_mails: KeepsOwnMails

    async def handle(self, queued: Event[MessageQueued]) -> None:
        """Raises Unavailable. A message whose hash is not told is never taken for our own."""
        sha256, size = getattr(queued.data, "sha256", None), getattr(queued.data, "size", None)
        if sha256 and size:
            await self.own_mails.put(queued.tenant, queued.data.message_id, OwnMail(sha256, size))
