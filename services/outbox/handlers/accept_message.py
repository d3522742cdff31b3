"""MessageComposed: the outbox takes the message in, renders it once, and holds it for its undo window (DESIGN §3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts import limits
from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.message import MessageComposed
from contracts.signature import Why
from services.kit.unavailable import Unavailable
from services.outbox.domain.document import Message, Policy, Raw, Reason, Recipient, Status, altered
from services.outbox.domain.facts import Decision
from services.outbox.domain.horizon import too_old
from services.outbox.domain.intake import born, born_interrupted
from services.outbox.handlers.facts import speak
from services.outbox.handlers.record_decision import TRIES, Record, without_owed
from services.outbox.ports import Birth, Channels, Composer, Inserted, Offers, RawBlobs, Rendered

RAW_DAYS = 35


@dataclass(frozen=True, slots=True)
class AcceptMessage:
    """Answers MessageComposed. A redelivery meets its document and changes nothing."""

    record: Record
    channels: Channels
    composer: Composer
    blobs: RawBlobs
    offer: Offers

    async def handle(self, event: Event[MessageComposed]) -> None:
        """Raises Unavailable while the channel's copy, a blob or the database is not there."""
        now = self.record.database_clock.now()
        if too_old(now, event.data.message_id):
            return
        channel = await self.channels.at_least(event.tenant, event.data.channel_id, event.data.channel_version)
        message, composed, wrong = await self._rendered(drafted(event, channel), event.data, channel)
        await self._keep(born(message, now, wrong), message, composed, now)

    async def _rendered(
        self, message: Message, composed: MessageComposed, channel: ChannelChanged
    ) -> tuple[Message, MessageComposed, Reason | None]:
        if channel.removed:
            return message, composed, Reason.CHANNEL_REMOVED
        rendered = await self.composer.render(message.tenant, composed)
        if not isinstance(rendered, Rendered):
            return message, composed, Reason.INVALID
        whole = altered(message, raw=await self._raw(message.tenant, rendered))
        return whole, _without_images(composed) if rendered.lost else composed, None

    async def _raw(self, tenant: str, rendered: Rendered) -> Raw:
        size = len(rendered.octets)
        if size <= limits.INLINE_TEXT:
            return Raw(rendered.sha256, size, octets=rendered.octets)
        kept = await self.blobs.keep(tenant, rendered.octets, RAW_DAYS)
        return Raw(rendered.sha256, size, blob_id=kept.blob_id)

    async def _keep(self, birth: Decision, message: Message, composed: MessageComposed, now: datetime) -> None:
        for _ in range(TRIES):
            found = await self.record.store.insert(_birth(birth, composed, now))
            if isinstance(found, Inserted):
                self.record.tell(found.message, found.owed)
                await self.offer.handle(without_owed(found.message))
                return
            if found.message.status is not Status.UNSEEN:
                self.record.tell(found.message, ())
                return
            if found.message.terminal_at is not None:
                return
            _, met = await self.record.handle(found.message, lambda tombstone, at: _meets(tombstone, message, at))
            if met is not None:
                return
        raise Unavailable("the tombstone keeps changing")


def _without_images(composed: MessageComposed) -> MessageComposed:
    """What is told of a message that had to go without an image of its signature."""
    used = composed.signature.model_copy(update={"why": Why.IMAGE_MISSING})
    return composed.model_copy(update={"signature": used})


def _meets(tombstone: Message, message: Message, now: datetime) -> Decision | None:
    return born_interrupted(tombstone, message, now) if tombstone.status is Status.UNSEEN else None


def _birth(birth: Decision, composed: MessageComposed, now: datetime) -> Birth:
    owed = speak(birth, now, composed)
    if birth.after.status is not Status.QUEUED:
        return Birth(birth.after, owed)
    return Birth(birth.after, owed, composed.undo_seconds, limits.UNDO_GRACE if composed.undo_seconds else 0)


def drafted(event: Event[MessageComposed], channel: ChannelChanged) -> Message:
    """The document of this message, not yet rendered."""
    data = event.data
    return Message(
        event.tenant, data.message_id, Status.QUEUED, channel_id=data.channel_id, operator_id=data.operator_id,
        conversation_id=data.conversation_id, internet_message_id=data.internet_message_id,
        policy=Policy.RESEND if channel.settings.policy.value == Policy.RESEND else Policy.PARK,
        recipients=tuple(Recipient(address) for address in dict.fromkeys(each.address for each in data.to)),
        accepted_at=data.accepted_at, expires_at=data.expires_at, traceparent=event.trace.traceparent,
        correlation_id=event.trace.correlation_id,
    )  # fmt: skip
