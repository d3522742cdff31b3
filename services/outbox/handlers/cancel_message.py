"""CancelRequested: the wish to interrupt meets the message, or comes before it (DESIGN §3.6)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import NO_TRACE, Event, event
from contracts.message import CancelRequested
from services.kit.publisher import Publishes
from services.outbox.domain.answers import unknown
from services.outbox.domain.cancel import cancel, tombstone
from services.outbox.domain.document import Cancel, Message, Status
from services.outbox.domain.facts import Answered
from services.outbox.domain.horizon import too_old
from services.outbox.handlers.facts import SOURCE, answered
from services.outbox.handlers.record_decision import Record
from services.outbox.ports import Birth, Inserted


@dataclass(frozen=True, slots=True)
class CancelMessage:
    """Answers CancelRequested. What changes nothing (the message has ended) is answered without a write."""

    record: Record
    publisher: Publishes

    async def handle(self, asked: Event[CancelRequested]) -> None:
        """Raises Unavailable; a repeat of the event repeats the answer under the same id."""
        data = asked.data
        wish = Cancel(data.cancel_id, data.requested_by, data.requested_at)
        message = await self.record.store.load(asked.tenant, data.message_id)
        if message is None and too_old(self.record.database_clock.now(), data.message_id, data.cancel_id):
            absent = Message(asked.tenant, data.message_id, Status.UNSEEN)
            return await self._answer(asked, absent, unknown(wish))
        if message is None:
            found = await self.record.store.insert(Birth(tombstone(asked.tenant, data.message_id, wish)))
            if isinstance(found, Inserted):
                return None
            message = found.message
        await self._meet(asked, message, wish)
        return None

    async def _meet(self, asked: Event[CancelRequested], message: Message, wish: Cancel) -> None:
        message, decided = await self.record.handle(message, lambda it, now: cancel(it, wish, now))
        if isinstance(decided, Answered):
            self.record.tell(message, ())
            await self._answer(asked, message, decided)

    async def _answer(self, asked: Event[CancelRequested], message: Message, answer: Answered) -> None:
        at = self.record.database_clock.now()
        trace = asked.trace or NO_TRACE
        await self.publisher.publish(event(asked.tenant, answered(message, answer), at=at, source=SOURCE, trace=trace))
