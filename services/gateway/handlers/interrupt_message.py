"""Interrupt a message: ask the outbox, and wait a moment for its answer.

One undecided cancel per message: who asks meanwhile joins it. What a terminal message answers is true for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import event
from contracts.message import CancelRequested
from services.gateway.domain.answers import Interrupted, Undecided
from services.gateway.domain.change import Thing
from services.gateway.domain.message import STOPPED_IT, TERMINAL, Asked, Cancel, Message, Status, may_interrupt
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused, forbidden
from services.gateway.domain.who import Principal
from services.gateway.ports import Messages, Now, Waits
from services.kit import tracing
from services.kit.ids import uuid7
from services.kit.unavailable import Unavailable

PATIENCE_S: Final = 3.0
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class InterruptMessage:
    """Asks, waits at most ``PATIENCE_S`` seconds, and says what is true."""

    messages: Messages
    waits: Waits
    clock: Now
    patience_s: float = PATIENCE_S

    async def handle(self, who: Principal, message_id: str) -> Interrupted | Undecided | Refused:
        """Interrupted, too late with the status reached, or undecided."""
        for _ in range(ATTEMPTS):
            message = await self.messages.get(who.tenant, message_id)
            if message is None:
                return NOT_FOUND
            if not may_interrupt(who, message):
                return forbidden("Only its author may interrupt it, or who has the scope messages:interrupt:any.")
            if message.status in TERMINAL:
                return _final(message, message.status, None)
            if cancel_id := await self._asked(who, message):
                return await self._outcome(message, cancel_id)
        raise Unavailable("the message kept changing")

    async def _asked(self, who: Principal, message: Message) -> str | None:
        """The cancel that speaks for this wish; None where somebody changed the message meanwhile."""
        asked = Asked(who.sub, self.clock.now())
        if undecided := message.undecided:
            await self.messages.join(message.tenant, message.message_id, undecided.cancel_id, asked)
            return undecided.cancel_id
        cancel = Cancel(str(uuid7()), (asked,))
        wish = CancelRequested(
            message_id=message.message_id, cancel_id=cancel.cancel_id, requested_by=who.sub, requested_at=asked.at
        )
        owed = event(message.tenant, wish, at=asked.at, source="gateway", trace=tracing.current())
        return cancel.cancel_id if await self.messages.ask(message, cancel, owed) else None

    async def _outcome(self, message: Message, cancel_id: str) -> Interrupted | Undecided | Refused:
        async def look() -> Message | None:
            found = await self.messages.get(message.tenant, message.message_id)
            cancel = found.cancel(cancel_id) if found else None
            return found if cancel and cancel.outcome else None

        answered = await self.waits.until(waiting_for(message.tenant, message.message_id), look, self.patience_s)
        if answered is None:
            latest = await self.messages.get(message.tenant, message.message_id)
            return Undecided(latest or message, cancel_id)
        cancel = answered.cancel(cancel_id)
        if cancel is not None and cancel.outcome in STOPPED_IT:
            return Interrupted(answered, cancel.outcome, cancel_id)
        return _final(answered, (cancel.status if cancel else None) or answered.status, cancel_id)


def waiting_for(tenant: str, message_id: str) -> str:
    """Under which key a change of this message wakes who waits."""
    return f"{Thing.MESSAGE}/{tenant}/{message_id}"


def _final(message: Message, status: str, cancel_id: str | None) -> Interrupted | Refused:
    if status == Status.INTERRUPTED:
        return Interrupted(message, "already_interrupted", cancel_id)
    detail = f"It is too late to interrupt this message: it is {status}."
    return Refused(Code.TOO_LATE, detail, status=str(status), cancel_id=cancel_id)
