"""List conversations, read one with what was said in it, take it as read or seen to, and hide it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.gateway.domain.answers import Listed, Opened
from services.gateway.domain.conversation import Conversation, Direction, View, Wanted
from services.gateway.domain.message import Message
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Refused, invalid
from services.gateway.domain.timeline import merged, place_of
from services.gateway.domain.who import Principal
from services.gateway.domain.words import asked_words
from services.gateway.handlers.start_conversation import conversation_changed
from services.gateway.ports import Arrivals, Conversations, Messages
from services.kit.unavailable import Unavailable

ATTEMPTS = 5
CLOCKED = 200
"""So many messages under the clock are looked through for the view that shows them."""
NO_VIEW = invalid("view", "unknown", f"Choose one of {', '.join(View)}.")


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """Everything a tenant may read of a conversation."""

    conversations: Conversations
    messages: Messages
    arrivals: Arrivals

    async def list(
        self, who: Principal, view: str | None, channel_id: str | None, query: str | None, cut: Cut
    ) -> Page[Listed] | Refused:
        """Unread ones first, then by the newest message, each with how far its last message got."""
        if view is not None and view not in set(View):
            return NO_VIEW
        words = asked_words(query or "")
        if query and query.strip() and not words:
            return Page(())
        shown, known = View(view or View.ALL), {}
        if shown is View.CLOCK:
            known = {one.conversation_id: one for one in await self.messages.clocked(who.tenant, CLOCKED)}
        page = await self.conversations.list(who.tenant, Wanted(shown, channel_id, words, who.names, (*known,)), cut)
        if shown is not View.CLOCK:
            known = await self._messages(page.items, shown)
        return Page(tuple(Listed(one, known.get(one.conversation_id)) for one in page.items), page.after)

    async def _messages(self, found: tuple[Conversation, ...], view: View) -> dict[str, Message]:
        """By conversation, the message that its line is about: the newest in trouble, or the last one that went out."""
        about = {one.conversation_id: said for one in found if (said := _about(one, view))}
        known = await self.messages.some(found[0].tenant, [*about.values()]) if about else {}
        return {talk: known[said] for talk, said in about.items() if said in known}

    async def handle(self, who: Principal, conversation_id: str, cut: Cut) -> Opened | Refused:
        """One conversation with what was said."""
        conversation = await self.conversations.get(who.tenant, conversation_id)
        if conversation is None:
            return NOT_FOUND
        ours = await self.messages.of_conversation(who.tenant, conversation_id, cut)
        theirs = await self.arrivals.of_conversation(who.tenant, conversation_id, cut)
        return Opened(conversation, merged(cut.limit, ours, theirs))

    async def read(self, who: Principal, conversation_id: str, message_id: str | None) -> Conversation | Refused:
        """Takes as read what arrived up to the message that was seen last, or all."""
        up_to = None
        if message_id is not None:
            seen = await self.arrivals.get(who.tenant, message_id) or await self.messages.get(who.tenant, message_id)
            if seen is None or seen.conversation_id != conversation_id:
                return NOT_FOUND
            up_to = place_of(seen)
        return await self.conversations.read(who.tenant, conversation_id, up_to) or NOT_FOUND

    async def attended(self, who: Principal, conversation_id: str) -> Conversation | Refused:
        """A person has seen to what did not arrive."""
        return await self.conversations.attended(who.tenant, conversation_id, None) or NOT_FOUND

    async def hide(self, who: Principal, conversation_id: str) -> Conversation | Refused:
        """Hidden from lists until a client writes again; nothing is deleted or recalled."""
        for _ in range(ATTEMPTS):
            found = await self.conversations.get(who.tenant, conversation_id)
            if found is None:
                return NOT_FOUND
            if found.hidden:
                return found
            hidden = replace(found, hidden=True, version=found.version + 1)
            if await self.conversations.hide(found, conversation_changed(hidden)):
                return hidden
        raise Unavailable("the conversation kept changing")


def _about(one: Conversation, view: View) -> str | None:
    if view is View.ATTENTION and one.trouble:
        return max(one.trouble)  # UUIDv7: the newest
    return one.last.message_id if one.last and one.last.direction is Direction.OUT else None
