"""Start a conversation with one or more clients, with or without a first message.

The conversation's id follows from the idempotency key, the conversation is written first, then the message: a retry
after a crash finds what stands and completes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid5

from contracts.conversation import ConversationChanged, Correspondent
from contracts.event import NAMESPACE, AnyEvent, event
from services.gateway.domain.answers import Started
from services.gateway.domain.content import refusal_of
from services.gateway.domain.conversation import Conversation, Start, without
from services.gateway.domain.refusal import Code, Refused, invalid
from services.gateway.domain.who import Principal
from services.gateway.handlers.accept_message import MISMATCH, AcceptMessage, Ask
from services.gateway.ports import Conversations, Key, Now
from services.kit import tracing

WRITE_FIRST_DISABLED = Refused(
    Code.WRITE_FIRST_DISABLED, "Writing first is switched off for this channel. Answer clients who write to it."
)


@dataclass(frozen=True, slots=True)
class StartConversation:
    """Idempotent by key."""

    conversations: Conversations
    accept: AcceptMessage
    clock: Now

    async def handle(self, who: Principal, start: Start, key: Key) -> Started | Refused:
        """The conversation, and the message once both are stored."""
        conversation_id = str(uuid5(NAMESPACE, f"{who.tenant}/conversation/{key.value}"))
        if start.first is not None and (refused := refusal_of(start.first, needs_subject=True)):
            return _of_first(refused)
        conversation = await self.conversations.get(who.tenant, conversation_id)
        if conversation is None:
            fresh = await self._fresh(who, start, conversation_id)
            if isinstance(fresh, Refused):
                return fresh
            conversation = fresh
        kept = await self.conversations.start(conversation, key, conversation_changed(conversation))
        if not kept.same_body:
            return MISMATCH
        return await self._first(who, start, _as_begun(kept.value), key)

    async def _fresh(self, who: Principal, start: Start, conversation_id: str) -> Conversation | Refused:
        grounds = await self.accept.grounds(who, start.channel_id, who.operator)
        if isinstance(grounds, Refused):
            return grounds
        settings = grounds.channel.settings
        if not settings.write_first:
            return WRITE_FIRST_DISABLED
        clients = without(start.clients, settings.address)
        if not clients:
            return invalid("clients", "own_address", "Name at least one client besides the channel's own address.")
        now = self.clock.now()
        subject = start.first.subject if start.first else None
        return Conversation(who.tenant, conversation_id, start.channel_id, clients, subject, now, who.sub, now)

    async def _first(self, who: Principal, start: Start, conversation: Conversation, key: Key) -> Started | Refused:
        if start.first is None:
            return Started(conversation, None)
        first = Key(f"first/{key.value}", key.body_hash)
        message = await self.accept.handle(Ask(who, conversation, start.first, first, who.operator))
        return _of_first(message) if isinstance(message, Refused) else Started(conversation, message)


def _of_first(refused: Refused) -> Refused:
    """The fields by the place they have in this request."""
    return replace(refused, faults=tuple(replace(one, field=f"message.{one.field}") for one in refused.faults))


def _as_begun(conversation: Conversation) -> Conversation:
    """As the first answer said it, so that a retry gets the same answer whatever was written meanwhile."""
    return replace(conversation, last=None, unread=0, last_at=conversation.created_at)


def conversation_changed(conversation: Conversation) -> AnyEvent:
    """The conversation as it now is."""
    data = ConversationChanged(
        version=conversation.version, conversation_id=conversation.conversation_id,
        channel_id=conversation.channel_id, hidden=conversation.hidden,
        participants=tuple(Correspondent(address=one.address, name=one.name) for one in conversation.participants),
    )  # fmt: skip
    at = conversation.created_at if conversation.version == 1 else conversation.last_at
    return event(conversation.tenant, data, at=at, source="gateway", trace=tracing.current())
