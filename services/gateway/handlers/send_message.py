"""Send a message into a conversation: a reply to everybody in it."""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.domain.content import Content
from services.gateway.domain.message import Message
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.accept_message import AcceptMessage, Ask
from services.gateway.ports import Conversations, Key


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Works whether or not operators may write first."""

    conversations: Conversations
    accept: AcceptMessage

    async def handle(self, who: Principal, conversation_id: str, content: Content, key: Key) -> Message | Refused:
        """The accepted message."""
        conversation = await self.conversations.get(who.tenant, conversation_id)
        if conversation is None:
            return NOT_FOUND
        return await self.accept.handle(Ask(who, conversation, content, key, who.operator))
