"""The mail that arrived as people and programs read it, and either kind of message by its direction."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import RootModel

from services.gateway.adapters.cursors import cursor_of
from services.gateway.adapters.rest_files import FileResource
from services.gateway.adapters.rest_messages import MessageResource, PersonResource, Resource, ReturnedResource, person
from services.gateway.domain.files import File
from services.gateway.domain.inbound import Attachment, Inbound, Quarantined
from services.gateway.domain.message import Message, Stored
from services.gateway.domain.page import Page
from services.gateway.domain.timeline import Said


class AttachmentResource(FileResource):
    """A part that is no body, under ``/v1/blobs/{blob_id}``; ``content_id`` where the HTML shows it (``cid:``)."""

    content_id: str | None
    inline: bool


class InboundResource(Resource):
    """A message that arrived. ``new_part`` is what is not quoted of ``text``; ``html`` is safe to show in a frame.

    ``kind``: received, auto_reply or bounce. ``auto``: none, auto-reply, bounce, list, loop (claims to be ours and is
    not) or other. ``new_participant``: somebody wrote who does not take part. ``body_stored``: a body is too long for
    lists and comes with the message alone. ``remote_images``: how many were held back. ``raw``: the mail as it came.
    """

    direction: Literal["in"] = "in"
    message_id: str
    conversation_id: str
    channel_id: str
    kind: str
    auto: str
    at: datetime
    received_at: datetime
    date: datetime | None
    sender: PersonResource | None
    reply_to: tuple[PersonResource, ...]
    to: tuple[PersonResource, ...]
    cc: tuple[PersonResource, ...]
    subject: str
    text: str | None
    html: str | None
    new_part: str | None
    body_stored: bool
    remote_images: int
    attachments: tuple[AttachmentResource, ...]
    new_participant: bool
    internet_message_id: str | None
    bounced_message_id: str | None
    returned: tuple[ReturnedResource, ...]
    replaced_chars: int
    truncated: tuple[str, ...]
    raw: FileResource
    hidden: bool

    @classmethod
    def of(cls, mail: Inbound) -> InboundResource:
        """What the reader sees of a mail."""
        fields: dict[str, Any] = {name: getattr(mail, name) for name in _PLAIN}
        fields |= {name: tuple(map(person, getattr(mail, name))) for name in ("reply_to", "to", "cc")}
        fields |= {
            "kind": str(mail.kind), "sender": person(mail.sender) if mail.sender else None,
            "body_stored": mail.text_ref is not None or mail.html_ref is not None,
            "attachments": tuple(map(_attachment, mail.attachments)), "raw": _file(mail.raw, "message.eml"),
            "returned": tuple(map(ReturnedResource.model_validate, mail.returned)),
        }  # fmt: skip
        return cls.model_construct(**fields)


_PLAIN = (
    "message_id", "conversation_id", "channel_id", "auto", "at", "received_at", "date", "subject", "text", "html",
    "new_part", "remote_images", "new_participant", "internet_message_id", "bounced_message_id", "replaced_chars",
    "truncated", "hidden",
)  # fmt: skip


class SaidResource(RootModel[MessageResource | InboundResource]):
    """A message, by ``direction``: ``out`` from the desk, ``in`` from a client."""

    @classmethod
    def of(cls, said: Said) -> SaidResource:
        """What the reader sees of either."""
        return cls.model_construct(said_resource(said))


class QuarantinedResource(Resource):
    """A mail that could not be read; ``raw`` is the mail as it came, null where it could not be fetched."""

    message_id: str
    channel_id: str
    reason: str
    size: int
    received_at: datetime
    raw: FileResource | None
    hidden: bool

    @classmethod
    def of(cls, mail: Quarantined) -> Self:
        """What the reader sees of it."""
        raw = _file(mail.raw, "message.eml") if mail.raw else None
        return cls(
            message_id=mail.message_id, channel_id=mail.channel_id, reason=mail.reason, size=mail.size,
            received_at=mail.received_at, raw=raw, hidden=mail.hidden,
        )  # fmt: skip


class QuarantinedPage(Resource):
    """Mails that could not be read, the newest first."""

    items: tuple[QuarantinedResource, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Quarantined]) -> Self:
        """What the reader sees of the list."""
        return cls(items=tuple(map(QuarantinedResource.of, page.items)), next=cursor_of(page.after))


def said_resource(said: Said) -> MessageResource | InboundResource:
    """The resource of either kind."""
    return MessageResource.of(said) if isinstance(said, Message) else InboundResource.of(said)


def _attachment(one: Attachment) -> AttachmentResource:
    file = _file(one.blob, one.file_name)
    return AttachmentResource(**file.model_dump(), content_id=one.content_id, inline=one.inline)


def _file(blob: Stored, name: str) -> FileResource:
    return FileResource.of(File(blob.blob_id, name, blob.media_type, blob.size, blob.sha256))
