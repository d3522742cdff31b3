"""List conversations, read one with its messages, and hide one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.gateway.domain.answers import Opened
from services.gateway.domain.conversation import Conversation
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Conversations, Messages
from services.kit.unavailable import Unavailable

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """Everything a tenant may read of a conversation."""

    conversations: Conversations
    messages: Messages

    async def list(self, who: Principal, channel_id: str | None, cut: Cut) -> Page[Conversation]:
        """The conversation with the newest message first."""
        return await self.conversations.list(who.tenant, channel_id, cut)

    async def handle(self, who: Principal, conversation_id: str, cut: Cut) -> Opened | Refused:
        """One conversation with its messages."""
        conversation = await self.conversations.get(who.tenant, conversation_id)
        if conversation is None:
            return NOT_FOUND
        return Opened(conversation, await self.messages.of_conversation(who.tenant, conversation_id, cut))

    async def hide(self, who: Principal, conversation_id: str) -> Conversation | Refused:
        """Hidden from lists; nothing is deleted or recalled."""
        for _ in range(ATTEMPTS):
            found = await self.conversations.get(who.tenant, conversation_id)
            if found is None:
                return NOT_FOUND
            if found.hidden:
                return found
            hidden = replace(found, hidden=True, version=found.version + 1)
            if await self.conversations.hide(found, conversation_changed(hidden)):
                return hidden
        raise Unavailable("the conversation kept changing")
