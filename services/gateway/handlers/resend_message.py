"""Send a parked message again: a new message to whom nobody can tell whether they got the old one.

The wish is noted with the old message first, with the new one's id; a retry after a crash completes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.gateway.domain.content import Content
from services.gateway.domain.message import Message, Person, Resolution
from services.gateway.domain.refusal import NOT_FOUND, Refused, conflict
from services.gateway.domain.who import Principal
from services.gateway.handlers.accept_message import AcceptMessage, Ask
from services.gateway.ports import Bodies, Conversations, Key, Messages, Now
from services.kit.ids import uuid7

NOT_PARKED = conflict("Only a parked message is sent again; this one has a known outcome.")
RESOLVED = conflict("Somebody has already decided about this message.")
GONE = conflict("The text of this message is no longer stored. Write it again.")


@dataclass(frozen=True, slots=True)
class ResendMessage:
    """Idempotent by key."""

    messages: Messages
    conversations: Conversations
    bodies: Bodies
    accept: AcceptMessage
    clock: Now

    async def handle(self, who: Principal, message_id: str, key: Key) -> Message | Refused:
        """The new message, which says whose repetition it is."""
        old = await self.messages.get(who.tenant, message_id)
        if old is None:
            return NOT_FOUND
        if not old.was_parked:
            return NOT_PARKED
        resolution = old.resolution or Resolution("resent", who.sub, self.clock.now(), str(uuid7()), key.value)
        if resolution.kind != "resent" or resolution.key != key.value:
            return RESOLVED
        if old.resolution is None and not await self.messages.resolve(old, resolution):
            return RESOLVED
        return await self._again(who, old, resolution, key)

    async def _again(self, who: Principal, old: Message, resolution: Resolution, key: Key) -> Message | Refused:
        conversation = await self.conversations.get(who.tenant, old.conversation_id)
        content = await self._content(old)
        if conversation is None or content is None:
            return GONE
        to = _in_doubt(old)
        ask = Ask(who, conversation, content, key, old.operator_id, to, resolution.message_id, old.message_id)
        return await self.accept.handle(ask)

    async def _content(self, old: Message) -> Content | None:
        text = await self.bodies.get(old.tenant, old.text_ref) if old.text_ref else old.text
        html = await self.bodies.get(old.tenant, old.html_ref) if old.html_ref else old.html
        gone = (old.text_ref and text is None) or (old.html_ref and html is None)
        return None if gone else Content(old.subject, text, html)


def _in_doubt(old: Message) -> tuple[Person, ...]:
    doubtful = {address.lower() for address in old.in_doubt}
    return tuple(person for person in old.to if person.address.lower() in doubtful) or old.to
