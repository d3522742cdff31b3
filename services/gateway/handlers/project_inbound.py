"""Put what arrived into its conversation, or open one for somebody new.

    not known --> conversation (found or opened) --> joined --> bounce noted --> shown again --> kept = known

Keeping the mail is the last write: whatever is repeated before it changes nothing twice, and after it nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from contracts.event import Event
from contracts.inbound import InboundMail
from services.gateway.domain.bounce import Bounce
from services.gateway.domain.conversation import Conversation
from services.gateway.domain.inbound import Inbound, is_stranger, joining_of, opened_by
from services.gateway.handlers.facts import inbound_of
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Arrivals, Conversations, Key, Messages
from services.kit.unavailable import Unavailable

ATTEMPTS = 5
OPENED = Key("inbound", "")


class WrongChannel(Exception):
    """The conversation belongs to another channel than the mail says; nobody may write across channels."""


@dataclass(frozen=True, slots=True)
class ProjectInbound:
    """One mail, as often as it is told and in any order with the others."""

    arrivals: Arrivals
    conversations: Conversations
    messages: Messages

    async def handle(self, event: Event[InboundMail]) -> None:
        """MessageReceived, AutoReplyReceived, BounceReceived; raises WrongChannel, Unavailable."""
        mail = inbound_of(event)
        if await self.arrivals.knows(mail.tenant, mail.message_id):
            return
        conversation = await self._conversation(mail)
        mail = replace(mail, new_participant=is_stranger(mail, conversation))
        await self.conversations.join(mail.tenant, mail.conversation_id, joining_of(mail))
        if mail.bounced_message_id:
            report = Bounce(mail.message_id, mail.at, mail.returned)
            await self.messages.bounced(mail.tenant, mail.bounced_message_id, report)
        await self._show(mail)
        await self.arrivals.keep(mail)

    async def _conversation(self, mail: Inbound) -> Conversation:
        found = await self.conversations.get(mail.tenant, mail.conversation_id)
        if found is None:
            opened = opened_by(mail)
            found = (await self.conversations.start(opened, OPENED, conversation_changed(opened))).value
        if found.channel_id != mail.channel_id:
            raise WrongChannel("a mail names a conversation of another channel")
        return found

    async def _show(self, mail: Inbound) -> None:
        """A client who writes again is not to be overlooked: the conversation is no longer hidden."""
        for _ in range(ATTEMPTS):
            found = await self.conversations.get(mail.tenant, mail.conversation_id)
            if found is None or not found.hidden:
                return
            shown = replace(found, hidden=False, version=found.version + 1)
            if await self.conversations.hide(found, conversation_changed(shown)):
                return
        raise Unavailable("the conversation kept changing")
