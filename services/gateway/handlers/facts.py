"""What events of others say, in the gateway's words."""

from __future__ import annotations

from contracts.blob import BlobRef
from contracts.event import Event
from contracts.inbound import AutoReplyReceived, BounceReceived, InboundAddress, InboundAttachment, InboundMail
from services.gateway.domain.bounce import Returned
from services.gateway.domain.inbound import Attachment, Inbound, Kind, arrived_at
from services.gateway.domain.message import Person, Stored


def inbound_of(event: Event[InboundMail]) -> Inbound:
    """The mail of one event."""
    said = event.data
    bounce = said if isinstance(said, BounceReceived) else None
    return Inbound(
        tenant=event.tenant, message_id=said.message_id, conversation_id=said.conversation_id,
        channel_id=said.channel_id, kind=_kind(said), at=arrived_at(said.received_at, event.time),
        received_at=said.received_at, raw=stored_of(said.raw),
        sender=_person(said.sender) if said.sender else None, reply_to=_people(said.reply_to), to=_people(said.to),
        cc=_people(said.cc), subject=said.subject, text=said.text, html=said.html,
        text_ref=stored_if_any(said.text_ref), html_ref=stored_if_any(said.html_ref), new_part=said.new_part,
        attachments=tuple(map(_attachment, said.attachments)), auto=str(said.auto),
        new_participant=said.new_participant, internet_message_id=said.internet_message_id,
        references=said.references or said.in_reply_to, date=said.date, remote_images=said.remote_images,
        replaced_chars=said.replaced_chars, truncated=said.truncated,
        bounced_message_id=bounce.bounced_message_id if bounce else None,
        returned=_returned(bounce) if bounce else (),
    )  # fmt: skip


def stored_of(ref: BlobRef) -> Stored:
    """A blob as our documents name it."""
    return Stored(ref.blob_id, ref.sha256, ref.size, ref.media_type)


def stored_if_any(ref: BlobRef | None) -> Stored | None:
    """The same, where there is one."""
    return stored_of(ref) if ref is not None else None


def _kind(said: InboundMail) -> Kind:
    if isinstance(said, BounceReceived):
        return Kind.BOUNCE
    return Kind.AUTO_REPLY if isinstance(said, AutoReplyReceived) else Kind.RECEIVED


def _person(one: InboundAddress) -> Person:
    return Person(one.address, one.name)


def _people(those: tuple[InboundAddress, ...]) -> tuple[Person, ...]:
    return tuple(map(_person, those))


def _attachment(one: InboundAttachment) -> Attachment:
    return Attachment(stored_of(one.blob), one.file_name, one.content_id, one.inline)


def _returned(bounce: BounceReceived) -> tuple[Returned, ...]:
    return tuple(Returned(one.address, one.action, one.status, one.diagnostic) for one in bounce.recipients)
