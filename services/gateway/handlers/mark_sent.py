"""Mark a parked message as sent: a person found out that it arrived. Its status stays what the outbox said."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.domain.message import Message, Resolution
from services.gateway.domain.refusal import NOT_FOUND, Refused, conflict
from services.gateway.domain.who import Principal
from services.gateway.ports import Conversations, Messages, Now

NOT_PARKED = conflict("Only a parked message is marked; this one has a known outcome.")
RESOLVED = conflict("Somebody has already decided about this message.")


@dataclass(frozen=True, slots=True)
class MarkSent:
    """Who and when is kept with the message."""

    messages: Messages
    conversations: Conversations
    clock: Now

    async def handle(self, who: Principal, message_id: str) -> Message | Refused:
        """The message with its resolution; marking it twice changes nothing."""
        message = await self.messages.get(who.tenant, message_id)
        if message is None:
            return NOT_FOUND
        if not message.was_parked:
            return NOT_PARKED
        if message.resolution is None:
            await self.messages.resolve(message, Resolution("marked_sent", who.sub, self.clock.now()))
            await self.conversations.attended(who.tenant, message.conversation_id, message_id)
            message = await self.messages.get(who.tenant, message_id)
        marked = message is not None and message.resolution and message.resolution.kind == "marked_sent"
        return message if message is not None and marked else RESOLVED
