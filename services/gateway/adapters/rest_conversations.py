"""The conversation as people and programs read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from contracts.payload import Id
from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.rest_inbound import InboundResource, said_resource
from services.gateway.adapters.rest_messages import MessageResource, PersonResource, Resource, person
from services.gateway.adapters.rest_requests import Body
from services.gateway.domain.answers import Listed, Opened, Started
from services.gateway.domain.conversation import TOGETHER, Conversation
from services.gateway.domain.message import Message
from services.gateway.domain.page import Page


class LastResource(Resource):
    """The newest message of a conversation. ``kind``: sent, received, auto_reply or bounce; ``preview``: how it begins.

    ``status``, ``interruptible`` (the clock) and ``parked`` in lists, where it went out; else null and false.
    """

    message_id: str
    direction: Literal["in", "out"]
    kind: str
    at: datetime
    preview: str
    status: str | None
    interruptible: bool
    parked: bool


class ConversationResource(Resource):
    """A conversation; ``mode`` together: everyone in it sees all addresses.

    ``unread``: how many that arrived nobody has read; ``created_by`` is null where a client's mail opened it.
    """

    conversation_id: str
    channel_id: str
    participants: tuple[PersonResource, ...]
    subject: str | None
    mode: str
    created_at: datetime
    created_by: str | None
    last_at: datetime
    last: LastResource | None
    unread: int
    hidden: bool

    @classmethod
    def of(cls, conversation: Conversation) -> ConversationResource:
        """What the reader sees of a conversation."""
        return cls.model_construct(**_fields(conversation))


def _fields(conversation: Conversation, message: Message | None = None) -> dict[str, Any]:
    plain = ("conversation_id", "channel_id", "subject", "created_at", "created_by", "last_at", "unread", "hidden")
    people, last = tuple(map(person, conversation.participants)), _last(conversation, message)
    fields = {name: getattr(conversation, name) for name in plain}
    return {"participants": people, "mode": TOGETHER, "last": last, **fields}


def _last(conversation: Conversation, message: Message | None) -> LastResource | None:
    last = conversation.last
    if last is None:
        return None
    return LastResource.model_validate(
        {
            "message_id": last.message_id, "direction": str(last.direction), "kind": last.kind, "at": last.at,
            "preview": last.preview, "status": str(message.status) if message else None,
            "interruptible": message is not None and message.interruptible,
            "parked": message is not None and message.parked,
        }
    )  # fmt: skip


class StartedResource(ConversationResource):
    """A conversation that was just started, with its first message."""

    message: MessageResource | None

    @classmethod
    def of(cls, started: Started) -> StartedResource:  # type: ignore[override]  # of another thing
        """What the reader sees of a start."""
        message = MessageResource.of(started.message) if started.message else None
        return cls.model_construct(**_fields(started.conversation), message=message)


class MessagePage(Resource):
    """Messages both ways (``direction``), the newest first; ``next`` continues the list, null where it ends."""

    items: tuple[MessageResource | InboundResource, ...]
    next: str | None


class OpenedResource(ConversationResource):
    """A conversation with a page of its messages."""

    messages: MessagePage

    @classmethod
    def of(cls, opened: Opened) -> OpenedResource:  # type: ignore[override]  # of another thing
        """What the reader sees of a conversation."""
        items = tuple(map(said_resource, opened.messages.items))
        page = MessagePage.model_construct(items=items, next=cursor_of(opened.messages.after))
        return cls.model_construct(**_fields(opened.conversation), messages=page)


class ConversationPage(Resource):
    """Conversations, unread ones first, then the one with the newest message."""

    items: tuple[ConversationResource, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Listed]) -> ConversationPage:
        """What the reader sees of the list."""
        items = (ConversationResource.model_construct(**_fields(one.conversation, one.message)) for one in page.items)
        return cls.model_construct(items=tuple(items), next=cursor_of(page.after))


class ReadBody(Body):
    """``message_id``: the newest message that was seen; what came after it stays unread. Without one, all is read."""

    message_id: Id | None = None

    def parts(self) -> tuple[Any, ...]:
        """The message."""
        return (self.message_id,)
