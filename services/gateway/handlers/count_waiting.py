"""Count what waits for the desk: the numbers beside the lists."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.gateway.domain.answers import MOST_COUNTED, Waiting
from services.gateway.domain.conversation import View
from services.gateway.domain.who import Principal
from services.gateway.ports import Arrivals, Conversations, Messages


@dataclass(frozen=True, slots=True)
class CountWaiting:
    """Bounded: nobody reads more than *many* from a number, and counting on would cost more than it tells."""

    conversations: Conversations
    messages: Messages
    arrivals: Arrivals

    async def handle(self, who: Principal) -> Waiting:
        """All four at once."""
        unread, attention, clocked, aside = await asyncio.gather(
            self.conversations.count(who.tenant, View.UNREAD, MOST_COUNTED),
            self.conversations.count(who.tenant, View.ATTENTION, MOST_COUNTED),
            self.messages.clocked(who.tenant, MOST_COUNTED),
            self.arrivals.count_aside(who.tenant, MOST_COUNTED),
        )
        full = len(clocked) >= MOST_COUNTED
        clock = MOST_COUNTED if full else len({one.conversation_id for one in clocked})
        return Waiting(unread, clock, attention, aside)
