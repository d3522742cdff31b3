"""An outbound message on its way to the outbox: the wish to send, the composed message, the wish to cancel."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts import limits
from contracts.addresses import HeaderText, HeaderTexts
from contracts.blob import BlobRef
from contracts.conversation import Correspondent
from contracts.payload import Id, Moment, Part, Payload
from contracts.signature import Why


class Attachment(Part):
    """A file that goes with a message."""

    blob: BlobRef
    file_name: HeaderText = Field(max_length=255)


class Draft(Payload):
    """What an accepted message holds before and after its signature."""

    aggregate: ClassVar[str] = "message"
    message_id: Id
    conversation_id: Id
    channel_id: Id
    channel_version: int
    operator_id: Id | None
    operator_version: int | None
    requested_by: str
    internet_message_id: HeaderText
    in_reply_to: HeaderText | None = None
    references: HeaderTexts = Field(default=(), max_length=limits.REFERENCES)
    to: tuple[Correspondent, ...] = Field(min_length=1, max_length=limits.RECIPIENTS)
    subject: HeaderText = Field(min_length=1)
    text: str | None = None
    text_ref: BlobRef | None = None
    html: str | None = None
    html_ref: BlobRef | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=limits.ATTACHMENTS)
    undo_seconds: int = Field(ge=0, le=limits.UNDO_MAX)
    accepted_at: Moment
    expires_at: Moment
    resend_of: Id | None = None

    def key(self) -> str:
        """Messages of one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """The message's id."""
        return self.message_id


class SendRequested(Draft):
    """A wish, accepted by the gateway: this message is to be signed, held for its undo window and submitted."""


class SignatureUsed(Part):
    """Which signature a message carries and why; ``id`` is the signature's key, None where there is none."""

    id: str | None = None
    version: int | None = None
    why: Why


class InlineImage(Part):
    """An image that the HTML shows: ``cid:`` and this content id (RFC 2392), which stands without its brackets."""

    blob: BlobRef
    content_id: HeaderText = Field(min_length=3, max_length=255)
    file_name: HeaderText = Field(max_length=255)


class MessageComposed(Draft):
    """The message with its signature under the body, the images its HTML shows, and the name it is sent under."""

    sender: Correspondent
    signature: SignatureUsed
    images: tuple[InlineImage, ...] = Field(default=(), max_length=limits.SIGNATURE_IMAGES)


class CancelRequested(Payload):
    """A wish: do not send this message. Exactly one ``InterruptAnswered`` per ``cancel_id`` answers it."""

    aggregate: ClassVar[str] = "cancel"
    message_id: Id
    cancel_id: Id
    requested_by: str
    requested_at: Moment

    def key(self) -> str:
        """Cancels of one message keep their order."""
        return self.message_id

    def identity(self) -> str:
        """One wish, one id."""
        return self.cancel_id


class SentCopyFound(Payload):
    """The account's Sent mailbox holds a message whose outcome was unknown: its provider took it."""

    aggregate: ClassVar[str] = "sent-copy-found"
    message_id: Id
    channel_id: Id
    found_at: Moment

    def key(self) -> str:
        """One message, one order."""
        return self.message_id


class SentCopyOffered(Payload):
    """A message was sent; these are its octets, for the account's Sent mailbox.

    ``mime``: base64 (RFC 4648 section 4), up to 64 KiB of octets; larger ones by reference.
    """

    aggregate: ClassVar[str] = "sent-copy"
    message_id: Id
    channel_id: Id
    internet_message_id: HeaderText
    sent_at: Moment
    mime: str | None = Field(default=None, repr=False)
    mime_ref: BlobRef | None = None

    def key(self) -> str:
        """Copies for one channel keep their order."""
        return self.channel_id

    def identity(self) -> str:
        """One copy of each message."""
        return self.message_id
