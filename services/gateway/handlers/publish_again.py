"""Ask once more for a message still *accepted* an hour after it expired; the outbox answers ``failed(expired)``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.event import NO_TRACE
from services.gateway.handlers.accept_message import send_requested
from services.gateway.ports import Messages, Now

OVERDUE: Final = timedelta(hours=1)
AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class PublishOverdue:
    """A sweep over all tenants."""

    messages: Messages
    clock: Now

    async def handle(self) -> int:
        """How many were asked for once more."""
        now = self.clock.now()
        found = await self.messages.overdue(now - OVERDUE, AT_ONCE)
        for message in found:
            await self.messages.owe_again(message, send_requested(message, NO_TRACE), now)
        return len(found)
