"""A wish that is not granted: its answer is stored first, and a wish that comes again gets the same one."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import AnyEvent
from services.config.domain.outcome import Refusal
from services.config.handlers.facts import refusal_event
from services.config.ports import Clock, Publishes, Rejections


@dataclass(frozen=True)
class RejectRequest:
    """Answers with a refusal; used by the handlers of wishes."""

    rejections: Rejections
    publisher: Publishes
    clock: Clock

    async def again(self, event: AnyEvent) -> bool:
        """Whether this wish was refused before; if so, the answer is given again."""
        answer = await self.rejections.read(event.tenant, event.data.request_id)
        if answer is None:
            return False
        await self.publisher.publish(answer)
        return True

    async def handle(self, event: AnyEvent, channel_id: str, refusal: Refusal) -> None:
        """Stores the refusal; it is published from there."""
        request_id = event.data.request_id
        answer = refusal_event(event.tenant, request_id, channel_id, refusal, self.clock.now(), event.trace)
        await self.rejections.write(event.tenant, request_id, answer)
