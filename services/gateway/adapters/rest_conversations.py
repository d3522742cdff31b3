"""The conversation as people and programs read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from contracts.payload import Id
from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.rest_inbound import InboundResource, said_resource
from services.gateway.adapters.rest_messages import MessageResource, PersonResource, Resource, person
from services.gateway.adapters.rest_requests import Body
from services.gateway.domain.answers import Listed, Opened, Started, Waiting
from services.gateway.domain.conversation import TOGETHER, Conversation, Direction, Last
from services.gateway.domain.message import Message
from services.gateway.domain.page import Page


class LastResource(Resource):
    """The newest message of a conversation. ``kind``: sent, received, auto_reply or bounce; ``preview``: how it begins.

    In lists, where it went out, how far it got, as the message itself says it; else null and false. ``missed``: how
    many of those ``addressed`` did not get it; ``resolved``: resent or marked_sent, where a person decided. In the
    views clock and attention it is the message that they are about.
    """

    message_id: str
    direction: Literal["in", "out"]
    kind: str
    at: datetime
    preview: str
    status: str | None
    interruptible: bool
    parked: bool
    returned: bool
    resolved: str | None
    addressed: int
    missed: int
    undo_until: datetime | None
    next_attempt_at: datetime | None
    requested_by: str | None
    operator_id: str | None


class ConversationResource(Resource):
    """A conversation; ``mode`` together: everyone in it sees all addresses.

    ``unread``: how many that arrived nobody has read; ``created_by`` is null where a client's mail opened it;
    ``attention``: how many of the desk's messages somebody did not get, or perhaps not, that nobody has seen to.
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
    attention: int
    hidden: bool

    @classmethod
    def of(cls, conversation: Conversation) -> ConversationResource:
        """What the reader sees of a conversation."""
        return cls.model_construct(**_fields(conversation))


def _fields(conversation: Conversation, message: Message | None = None) -> dict[str, Any]:
    plain = ("conversation_id", "channel_id", "subject", "created_at", "created_by", "last_at", "unread", "hidden")
    people, last = tuple(map(person, conversation.participants)), _last(conversation, message)
    fields = {name: getattr(conversation, name) for name in plain}
    return {"participants": people, "mode": TOGETHER, "last": last, "attention": len(conversation.trouble), **fields}


def _last(conversation: Conversation, message: Message | None) -> LastResource | None:
    last = conversation.last
    if message is not None and (last is None or last.message_id != message.message_id):
        last = Last(message.message_id, Direction.OUT, "sent", message.accepted_at)
    if last is None:
        return None
    plain = {name: getattr(last, name) for name in ("message_id", "kind", "at", "preview")}
    return LastResource.model_validate({**plain, "direction": str(last.direction), **_reached(message)})


def _reached(message: Message | None) -> dict[str, Any]:
    """How far it got."""
    if message is None:
        return dict.fromkeys(_REACHED) | dict.fromkeys(_NOT, False) | {"addressed": 0, "missed": 0}
    said, returned = message.progress, (one for back in message.bounces for one in back.recipients)
    return {
        "status": str(message.status), "interruptible": message.interruptible, "parked": message.parked,
        "returned": any(one.action == "failed" for one in returned), "undo_until": said.undo_until,
        "resolved": message.resolution.kind if message.resolution else None, "addressed": len(said.recipients),
        "missed": sum(one.state in ("refused", "stopped") for one in said.recipients),
        "next_attempt_at": said.next_attempt_at, "requested_by": message.requested_by,
        "operator_id": message.operator_id,
    }  # fmt: skip


_NOT = ("interruptible", "parked", "returned")
_REACHED = ("status", "resolved", "undo_until", "next_attempt_at", "requested_by", "operator_id")


class WaitingResource(Resource):
    """How much waits for the desk, each number 100 for more: conversations with something ``unread``, with a message
    under the ``clock``, with one that asks for ``attention`` (not sent, perhaps not sent, not by all received,
    returned); and mails that were ``unreadable``."""

    unread: int
    clock: int
    attention: int
    unreadable: int

    @classmethod
    def of(cls, waiting: Waiting) -> WaitingResource:
        """What the reader sees of it."""
        return cls.model_validate(waiting, from_attributes=True)


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
