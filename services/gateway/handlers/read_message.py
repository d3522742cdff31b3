"""Read one message, ours or a client's, or hide it from its conversation; hiding recalls nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.timeline import Said
from services.gateway.domain.who import Principal
from services.gateway.ports import Arrivals, Bodies, Conversations, Messages


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """Bodies kept as blobs are fetched for one message, and left out of lists."""

    messages: Messages
    conversations: Conversations
    arrivals: Arrivals
    bodies: Bodies

    async def handle(self, who: Principal, message_id: str) -> Said | Refused:
        """The message with its whole body."""
        found: Said | None = await self.messages.get(who.tenant, message_id)
        found = found or await self.arrivals.get(who.tenant, message_id)
        return NOT_FOUND if found is None else await self._whole(found)

    async def hide(self, who: Principal, message_id: str) -> Said | Refused:
        """The message, hidden."""
        sent = await self.messages.hide(who.tenant, message_id)
        if sent is not None:
            await self.conversations.attended(who.tenant, sent.conversation_id, message_id)
            return sent
        return await self.arrivals.hide(who.tenant, message_id) or NOT_FOUND

    async def _whole(self, said: Said) -> Said:
        if said.text_ref:
            said = replace(said, text=await self.bodies.get(said.tenant, said.text_ref))
        if said.html_ref:
            said = replace(said, html=await self.bodies.get(said.tenant, said.html_ref))
        return said
