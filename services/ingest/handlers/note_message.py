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
        said = queued.data
        if said.sha256 is not None and said.size:
            own = OwnMail(said.sha256, said.size, said.internet_message_id)
            await self.own_mails.put(queued.tenant, said.message_id, own)
