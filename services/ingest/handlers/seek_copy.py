"""MessageFailed with an unknown outcome: its copy is looked for in the account's Sent mailbox, a little later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.event import Event
from contracts.outbound import FailureReason, MessageFailed
from services.ingest.domain.sent_copy import FIRST_S, SentCopy
from services.ingest.ports import Clock, CopyStore, OwnMails


@dataclass(frozen=True, slots=True)
class SeekCopy:
    """Answers MessageFailed; what failed for a known reason is nobody's doubt."""

    copies: CopyStore
    own_mails: OwnMails
    clock: Clock

    async def handle(self, failed: Event[MessageFailed]) -> None:
        """Raises Unavailable. A message of which no Message-ID is known is not looked for."""
        said = failed.data
        if said.reason is not FailureReason.OUTCOME_UNKNOWN:
            return
        own = (await self.own_mails.find(failed.tenant, [said.message_id])).get(said.message_id)
        if own is None or not own.internet_message_id:
            return
        due_at = self.clock.now() + timedelta(seconds=FIRST_S)
        await self.copies.put(
            SentCopy(
                failed.tenant, said.channel_id, said.message_id, own.internet_message_id, said.failed_at, due_at,
                sought=True,
            )
        )  # fmt: skip
