"""Accept a message: check the grounds, mint its ids and threading headers, and write it with the event it owes.

Send, start and resend end here. State first: when this returns a message, it is stored, and ``SendRequested`` with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts import limits
from contracts.addresses import domain_of
from contracts.blob import BlobRef
from contracts.channel import ChannelChanged
from contracts.conversation import Correspondent
from contracts.event import Event, Trace, event
from contracts.message import SendRequested
from contracts.payload import trusted
from services.gateway.domain.content import Content, refusal_of
from services.gateway.domain.conversation import Conversation, reply_subject, threading_of, without
from services.gateway.domain.message import Message, Person, Stored
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused, conflict, forbidden, invalid
from services.gateway.domain.who import Principal
from services.gateway.ports import (
    Backlog,
    Bodies,
    Channels,
    Conversations,
    Key,
    Messages,
    Now,
    Operators,
    Stamps,
    Tenants,
)
from services.kit import tracing
from services.kit.ids import uuid7

EMAIL_DISABLED = Refused(Code.EMAIL_DISABLED, "E-mail is not enabled for this tenant. Ask for it in your plan.")
MISMATCH = Refused(Code.IDEMPOTENCY_MISMATCH, "This Idempotency-Key was used with another body. Take a new key.")
FULL = Refused(Code.RATE_LIMITED, "Too many messages are on their way. Try again in a moment.", retry_after=5)
REMOVED = conflict("The channel of this conversation was removed. Start a new conversation on another channel.")
NOBODY = conflict("This conversation has nobody to write to besides the channel's own address.")


@dataclass(frozen=True, slots=True)
class Ask:
    """A message somebody wants to send; ``to``, ``operator_id`` and ``message_id`` where they are given already."""

    who: Principal
    conversation: Conversation
    content: Content
    key: Key
    operator_id: str | None
    to: tuple[Person, ...] | None = None
    message_id: str | None = None
    resend_of: str | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a message rests on: the channel and the operator as they were when it was accepted."""

    channel: ChannelChanged
    operator_version: int | None


@dataclass(frozen=True, slots=True)
class AcceptMessage:
    """Idempotent by key: the same key and body get the same message, whatever changed meanwhile."""

    messages: Messages
    conversations: Conversations
    channels: Channels
    tenants: Tenants
    operators: Operators
    backlog: Backlog
    bodies: Bodies
    stamps: Stamps
    clock: Now

    async def handle(self, ask: Ask) -> Message | Refused:
        """The accepted message, or why it is none."""
        message = await self._message(ask)
        if isinstance(message, Refused):
            return await self._repeated(ask, message)
        kept = await self.messages.accept(message, ask.key, send_requested(message, tracing.current()))
        if not kept.same_body:
            return MISMATCH
        if kept.fresh:
            await self.conversations.extend(message.tenant, message.conversation_id, message)
        return kept.value

    async def grounds(self, who: Principal, channel_id: str, operator_id: str | None) -> Grounds | Refused:
        """What any message of this tenant on this channel needs."""
        tenant = await self.tenants.get(who.tenant)
        if tenant is None or not tenant.email_enabled:
            return EMAIL_DISABLED
        channel = await self.channels.get(who.tenant, channel_id)
        if channel is None:
            return NOT_FOUND
        if channel.removed:
            return REMOVED
        if operator_id is None:
            return Grounds(channel, None)
        operator = await self.operators.get(who.tenant, operator_id)
        if operator is None:
            return invalid("operator", "unknown", "The token names an operator who is not known. Put them first.")
        if not operator.active:
            return forbidden("This operator is not active.")
        return Grounds(channel, operator.version)

    async def _repeated(self, ask: Ask, refused: Refused) -> Message | Refused:
        """A retry keeps its answer although something changed since."""
        kept = await self.messages.find_key(ask.who.tenant, ask.key)
        return kept.value if kept is not None and kept.same_body else refused

    async def _message(self, ask: Ask) -> Message | Refused:
        subject = ask.content.subject if ask.content.subject is not None else reply_subject(ask.conversation)
        if refused := refusal_of(Content(subject, ask.content.text, ask.content.html), needs_subject=True):
            return refused
        grounds = await self.grounds(ask.who, ask.conversation.channel_id, ask.operator_id)
        if isinstance(grounds, Refused):
            return grounds
        to = ask.to or without(ask.conversation.participants, grounds.channel.settings.address)
        if not to:
            return NOBODY
        if await self.backlog.full(ask.who.tenant):
            return FULL
        return await self._minted(ask, grounds, to, subject or "")

    async def _minted(self, ask: Ask, grounds: Grounds, to: tuple[Person, ...], subject: str) -> Message:
        message_id, conversation, channel = ask.message_id or str(uuid7()), ask.conversation, grounds.channel
        tenant, domain = ask.who.tenant, domain_of(channel.settings.address)
        parent, references = threading_of(conversation)
        text, text_ref = await self._body(tenant, ask.content.text, "text/plain")
        html, html_ref = await self._body(tenant, ask.content.html, "text/html")
        now = self.clock.now()
        return Message(
            tenant=tenant, message_id=message_id, conversation_id=conversation.conversation_id,
            channel_id=channel.channel_id, channel_version=channel.version, operator_id=ask.operator_id,
            operator_version=grounds.operator_version, requested_by=ask.who.sub, in_reply_to=parent,
            internet_message_id=self.stamps.mint(
                tenant, channel.channel_id, message_id, conversation.conversation_id, domain
            ),
            references=references, to=to, subject=subject, text=text, html=html, text_ref=text_ref, html_ref=html_ref,
            undo_seconds=channel.settings.undo_seconds, accepted_at=now,
            expires_at=now + timedelta(seconds=limits.EXPIRY), resend_of=ask.resend_of,
        )  # fmt: skip

    async def _body(self, tenant: str, body: str | None, media_type: str) -> tuple[str | None, Stored | None]:
        if body is None or not body.strip():
            return None, None
        if len(body) * 4 <= limits.INLINE_TEXT or len(body.encode()) <= limits.INLINE_TEXT:
            return body, None
        return None, await self.bodies.put(tenant, body, media_type)


def send_requested(message: Message, trace: Trace) -> Event[SendRequested]:
    """The wish this message owes; the same message gives the same event."""
    data = SendRequested(
        message_id=message.message_id, conversation_id=message.conversation_id, channel_id=message.channel_id,
        channel_version=message.channel_version, operator_id=message.operator_id,
        operator_version=message.operator_version, requested_by=message.requested_by,
        internet_message_id=message.internet_message_id, in_reply_to=message.in_reply_to,
        references=message.references, to=tuple(map(_correspondent, message.to)), subject=message.subject,
        text=message.text, text_ref=_blob(message.text_ref), html=message.html, html_ref=_blob(message.html_ref),
        undo_seconds=message.undo_seconds, accepted_at=message.accepted_at, expires_at=message.expires_at,
        resend_of=message.resend_of,
    )  # fmt: skip
    return event(message.tenant, data, at=message.accepted_at, source="gateway", trace=trace)


def _correspondent(person: Person) -> Correspondent:
    """Already canonical: it was checked when the conversation started; not again, for IDNA is dear."""
    return trusted(Correspondent, {"address": person.address, "name": person.name})


def _blob(stored: Stored | None) -> BlobRef | None:
    if stored is None:
        return None
    return BlobRef(blob_id=stored.blob_id, sha256=stored.sha256, size=stored.size, media_type=stored.media_type)
