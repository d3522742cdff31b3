"""Read one message, or hide it from its conversation; hiding recalls nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.gateway.domain.message import Message
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Bodies, Messages


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """Bodies kept as blobs are fetched for one message, and left out of lists."""

    messages: Messages
    bodies: Bodies

    async def handle(self, who: Principal, message_id: str) -> Message | Refused:
        """The message with its whole body."""
        message = await self.messages.get(who.tenant, message_id)
        return NOT_FOUND if message is None else await self._whole(message)

    async def hide(self, who: Principal, message_id: str) -> Message | Refused:
        """The message, hidden."""
        return await self.messages.hide(who.tenant, message_id) or NOT_FOUND

    async def _whole(self, message: Message) -> Message:
        if message.text_ref:
            message = replace(message, text=await self.bodies.get(message.tenant, message.text_ref))
        if message.html_ref:
            message = replace(message, html=await self.bodies.get(message.tenant, message.html_ref))
        return message
