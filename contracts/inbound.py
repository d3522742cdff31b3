"""What arrived on a channel's mailbox: the public contract of ``mail.inbound.v1``.

A mail is identified by its place (mailbox, UIDVALIDITY, UID) and by its content (SHA-256 of its bytes): ``message_id``
is a uuid5 over tenant, channel and place, so that the same mail published again after a crash is the same event.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.blob import BlobRef
from contracts.payload import Id, Moment, Open, Part, Payload


class Auto(Open):
    """Whether a machine wrote it (RFC 3834, 3464, 2919); ``loop``: it claims to be ours and is not, or goes round."""

    NONE = "none"
    AUTO_REPLY = "auto-reply"
    BOUNCE = "bounce"
    LIST = "list"
    LOOP = "loop"
    OTHER = "other"


class ThreadedBy(Open):
    """How the conversation was found: our token, the ledger of Message-IDs, or the root of the thread."""

    TOKEN = "token"  # noqa: S105 - a kind of threading, no secret
    LEDGER = "ledger"
    ROOT = "root"
    OTHER = "other"


class Place(Part):
    """Where the mail is on the server (RFC 9051 section 2.3.1)."""

    mailbox: str
    uidvalidity: int
    uid: int


class InboundAddress(Part):
    """An address as the mail has it, decoded; it need not be one we would accept for sending."""

    address: str
    name: str = ""


class InboundAttachment(Part):
    """A part that is no body: its bytes by reference, a safe file name, and its Content-ID where it is shown inline."""

    blob: BlobRef
    file_name: str
    content_id: str | None = None
    inline: bool = False


class InboundMail(Payload):
    """What every mail that could be read says.

    ``text`` and ``html`` are decoded and safe (remote images held back and counted), by reference above 64 KiB;
    ``new_part`` is the part of ``text`` that is not quoted, as best it can be told. ``replaced_chars`` counts U+FFFD.
    """

    aggregate: ClassVar[str] = "inbound"
    message_id: Id
    conversation_id: Id
    channel_id: Id
    place: Place
    sha256: str
    size: int
    raw: BlobRef
    received_at: Moment
    internet_message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    date: Moment | None = None
    sender: InboundAddress | None = None
    reply_to: tuple[InboundAddress, ...] = ()
    to: tuple[InboundAddress, ...] = ()
    cc: tuple[InboundAddress, ...] = ()
    subject: str = ""
    text: str | None = None
    text_ref: BlobRef | None = None
    html: str | None = None
    html_ref: BlobRef | None = None
    new_part: str | None = None
    remote_images: int = 0
    attachments: tuple[InboundAttachment, ...] = ()
    auto: Auto = Auto.NONE
    threaded_by: ThreadedBy = ThreadedBy.ROOT
    new_participant: bool = False
    replaced_chars: int = 0
    truncated: tuple[str, ...] = ()
    """What was cut at a limit: ``addresses``, ``headers``, ``parts``, ``text``, ``html``, …"""

    def key(self) -> str:
        """Mails of one conversation keep their order."""
        return self.conversation_id

    def identity(self) -> str:
        """The mail's id."""
        return self.message_id


class MessageReceived(InboundMail):
    """A mail arrived that a person may have written."""


class AutoReplyReceived(InboundMail):
    """A machine answered in a person's name: an absence note and the like (RFC 3834)."""


class BouncedRecipient(Part):
    """One recipient a report speaks of (RFC 3464 section 2.3)."""

    address: str
    action: str = Field(default="failed", description="failed, delayed, delivered, relayed or expanded")
    status: str | None = None
    diagnostic: str | None = None


class BounceReceived(InboundMail):
    """A delivery report arrived; ``bounced_message_id`` is the outbound message it speaks of, where that is known."""

    bounced_message_id: Id | None = None
    bounced_internet_message_id: str | None = None
    recipients: tuple[BouncedRecipient, ...] = ()


class MessageQuarantined(Payload):
    """A mail arrived that could not be read; its bytes are kept where they could be fetched."""

    aggregate: ClassVar[str] = "inbound"
    message_id: Id
    channel_id: Id
    place: Place
    reason: str
    size: int
    sha256: str | None = None
    raw: BlobRef | None = None
    received_at: Moment

    def key(self) -> str:
        """It belongs to no conversation."""
        return self.channel_id

    def identity(self) -> str:
        """The mail's id."""
        return self.message_id


class MailboxReset(Payload):
    """The server renumbered a mailbox: mails known already were matched, only new ones follow as events."""

    aggregate: ClassVar[str] = "mailbox"
    channel_id: Id
    mailbox: str
    old_uidvalidity: int
    new_uidvalidity: int
    matched: int
    reset_at: Moment

    def key(self) -> str:
        """In order with the channel's other events."""
        return self.channel_id

    def distinct(self) -> str:
        """One reset per new numbering."""
        return f"{self.mailbox}/{self.old_uidvalidity}/{self.new_uidvalidity}"
