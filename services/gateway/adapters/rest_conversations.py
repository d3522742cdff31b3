"""The conversation as people and programs read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.rest_messages import MessageResource, PersonResource, Resource, person
from services.gateway.domain.answers import Opened, Started
from services.gateway.domain.conversation import TOGETHER, Conversation
from services.gateway.domain.page import Page


class ConversationResource(Resource):
    """A conversation; ``mode`` together: everyone in it sees all addresses."""

    conversation_id: str
    channel_id: str
    participants: tuple[PersonResource, ...]
    subject: str | None
    mode: str
    created_at: datetime
    created_by: str
    last_at: datetime
    hidden: bool

    @classmethod
    def of(cls, conversation: Conversation) -> Self:
        """What the reader sees of a conversation."""
        return cls.model_validate(_fields(conversation))


def _fields(conversation: Conversation) -> dict[str, Any]:
    plain = ("conversation_id", "channel_id", "subject", "created_at", "created_by", "last_at", "hidden")
    people = tuple(map(person, conversation.participants))
    return {"participants": people, "mode": TOGETHER, **{name: getattr(conversation, name) for name in plain}}


class StartedResource(ConversationResource):
    """A conversation that was just started, with its first message."""

    message: MessageResource | None

    @classmethod
    def of(cls, started: Started) -> StartedResource:  # type: ignore[override]
        """What the reader sees of a start."""
        message = MessageResource.of(started.message) if started.message else None
        return cls.model_construct(**_fields(started.conversation), message=message)


class MessagePage(Resource):
    """Messages, the newest first; ``next`` continues the list, null where it ends."""

    items: tuple[MessageResource, ...]
    next: str | None


class OpenedResource(ConversationResource):
    """A conversation with a page of its messages."""

    messages: MessagePage

    @classmethod
    def of(cls, opened: Opened) -> OpenedResource:  # type: ignore[override]
        """What the reader sees of a conversation."""
        items = tuple(map(MessageResource.of, opened.messages.items))
        page = MessagePage.model_construct(items=items, next=cursor_of(opened.messages.after))
        return cls.model_construct(**_fields(opened.conversation), messages=page)


class ConversationPage(Resource):
    """Conversations, the one with the newest message first."""

    items: tuple[ConversationResource, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Conversation]) -> Self:
        """What the reader sees of the list."""
        return cls(items=tuple(map(ConversationResource.of, page.items)), next=cursor_of(page.after))
