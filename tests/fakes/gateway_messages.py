"""The gateway's messages and conversations in memory, with the promises of its ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts import limits
from contracts.event import AnyEvent, Event
from contracts.message import SendRequested
from contracts.outbound import InterruptAnswered
from services.gateway.domain.conversation import Conversation
from services.gateway.domain.message import TERMINAL, Asked, Cancel, Message, Progress, Resolution, Status
from services.gateway.domain.page import Cut, Page
from services.gateway.ports import Kept, Key

Spoken = list[tuple[str, AnyEvent]]


@dataclass
class FakeMessages:
    """``spoken``: what was handed to the relay, by document."""

    spoken: Spoken = field(default_factory=list)
    kept: dict[tuple[str, str], Message] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    again: dict[tuple[str, str], datetime] = field(default_factory=dict)

    async def accept(self, message: Message, key: Key, event: Event[SendRequested]) -> Kept[Message]:
        """See the port."""
        if found := await self.find_key(message.tenant, key):
            return found
        self.kept[message.tenant, message.message_id] = message
        self.keys[message.tenant, key.value] = (message.message_id, key.body_hash)
        self._speak(message, event)
        return Kept(message, fresh=True, same_body=True)

    async def find_key(self, tenant: str, key: Key) -> Kept[Message] | None:
        """See the port."""
        known = self.keys.get((tenant, key.value))
        if known is None:
            return None
        return Kept(self.kept[tenant, known[0]], fresh=False, same_body=known[1] == key.body_hash)

    async def get(self, tenant: str, message_id: str) -> Message | None:
        """See the port."""
        return self.kept.get((tenant, message_id))

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Message]:
        """See the port."""
        found = [
            one for (owner, _), one in self.kept.items()
            if owner == tenant and one.conversation_id == conversation_id and not one.hidden
        ]  # fmt: skip
        found.sort(key=lambda one: one.message_id, reverse=True)
        if cut.after:
            found = [one for one in found if one.message_id < cut.after[0]]
        items = tuple(found[: cut.limit])
        return Page(items, (items[-1].message_id,) if len(found) > cut.limit else None)

    async def ask(self, message: Message, cancel: Cancel, event: AnyEvent) -> bool:
        """See the port."""
        known = self.kept[message.tenant, message.message_id]
        return self._change(message, event, replace(known, cancels=(*known.cancels, cancel)))

    async def join(self, tenant: str, message_id: str, cancel_id: str, asked: Asked) -> None:
        """See the port."""
        known = self.kept[tenant, message_id]
        cancels = tuple(
            replace(one, asked=(*one.asked, asked)) if one.cancel_id == cancel_id else one for one in known.cancels
        )
        self.kept[tenant, message_id] = replace(known, cancels=cancels)

    async def resolve(self, message: Message, resolution: Resolution) -> bool:
        """See the port."""
        return self._change(message, None, replace(message, resolution=resolution))

    async def hide(self, tenant: str, message_id: str) -> Message | None:
        """See the port."""
        known = self.kept.get((tenant, message_id))
        if known is not None:
            known = self.kept[tenant, message_id] = replace(known, hidden=True)
        return known

    async def advance(self, tenant: str, message_id: str, progress: Progress) -> None:
        """See the port."""
        known = self.kept.get((tenant, message_id))
        if known is None or known.progress.outbox_version >= progress.outbox_version:
            return
        said = {name: getattr(progress, name) for name in Progress.__dataclass_fields__}
        said = {name: value for name, value in said.items() if value not in (None, ())}
        self.kept[tenant, message_id] = replace(known, progress=replace(known.progress, **said))

    async def answer(self, tenant: str, answered: InterruptAnswered, at: datetime) -> None:
        """See the port."""
        known = self.kept.get((tenant, answered.message_id))
        if known is None:
            return
        status = str(answered.status) if answered.status else None
        before = known.cancel(answered.cancel_id) or Cancel(
            answered.cancel_id, (Asked(answered.requested_by or "", at),)
        )
        after = replace(before, outcome=str(answered.outcome), status=status)
        others = tuple(one for one in known.cancels if one.cancel_id != after.cancel_id)
        self.kept[tenant, answered.message_id] = replace(known, cancels=(*others, after))

    async def overdue(self, before: datetime, limit: int) -> Sequence[Message]:
        """See the port."""
        found = [one for one in self.kept.values() if one.status is Status.ACCEPTED and one.expires_at < before]
        return [one for one in found if (one.tenant, one.message_id) not in self.again][:limit]

    async def owe_again(self, message: Message, event: Event[SendRequested], at: datetime) -> None:
        """See the port."""
        self.again[message.tenant, message.message_id] = at
        self._speak(message, event)

    def open(self, tenant: str) -> int:
        """How many of a tenant's are not terminal."""
        return sum(one.status not in TERMINAL for (owner, _), one in self.kept.items() if owner == tenant)

    def _change(self, before: Message, event: AnyEvent | None, after: Message) -> bool:
        if self.kept[before.tenant, before.message_id].version != before.version:
            return False
        self.kept[before.tenant, before.message_id] = replace(after, version=before.version + 1)
        if event is not None:
            self._speak(before, event)
        return True

    def _speak(self, message: Message, event: AnyEvent) -> None:
        self.spoken.append((f"{message.tenant}/{message.message_id}", event))


@dataclass
class FakeConversations:
    """Conversations by tenant and id."""

    spoken: Spoken = field(default_factory=list)
    kept: dict[tuple[str, str], Conversation] = field(default_factory=dict)
    bodies: dict[tuple[str, str], str] = field(default_factory=dict)

    async def start(self, conversation: Conversation, key: Key, event: AnyEvent) -> Kept[Conversation]:
        """See the port."""
        where = (conversation.tenant, conversation.conversation_id)
        if where in self.kept:
            return Kept(self.kept[where], fresh=False, same_body=self.bodies[where] == key.body_hash)
        self.kept[where], self.bodies[where] = conversation, key.body_hash
        self.spoken.append(("/".join(where), event))
        return Kept(conversation, fresh=True, same_body=True)

    async def get(self, tenant: str, conversation_id: str) -> Conversation | None:
        """See the port."""
        return self.kept.get((tenant, conversation_id))

    async def list(self, tenant: str, channel_id: str | None, cut: Cut) -> Page[Conversation]:
        """See the port."""
        found = [one for one in self.kept.values() if one.tenant == tenant and not one.hidden]
        found = [one for one in found if channel_id in (None, one.channel_id)]
        found.sort(key=_position, reverse=True)
        if cut.after:
            found = [one for one in found if _position(one) < (datetime.fromisoformat(cut.after[0]), cut.after[1])]
        items = tuple(found[: cut.limit])
        last = (items[-1].last_at.isoformat(), items[-1].conversation_id) if len(found) > cut.limit else None
        return Page(items, last)

    async def extend(self, tenant: str, conversation_id: str, message: Message) -> None:
        """See the port."""
        known = self.kept[tenant, conversation_id]
        thread = (*known.thread, message.internet_message_id)[-limits.REFERENCES :]
        last, subject = max(known.last_at, message.accepted_at), known.subject or message.subject
        self.kept[tenant, conversation_id] = replace(known, thread=thread, last_at=last, subject=subject)

    async def hide(self, conversation: Conversation, event: AnyEvent) -> bool:
        """See the port."""
        where = (conversation.tenant, conversation.conversation_id)
        if self.kept[where].version != conversation.version:
            return False
        self.kept[where] = replace(self.kept[where], hidden=True, version=event.data.version)
        self.spoken.append(("/".join(where), event))
        return True

    async def owe_again(self, tenant: str, conversation_id: str, event: AnyEvent) -> None:
        """See the port."""
        self.spoken.append((f"{tenant}/{conversation_id}", event))


def _position(conversation: Conversation) -> tuple[datetime, str]:
    return conversation.last_at, conversation.conversation_id


@dataclass
class FakeBacklog:
    """Counts the messages of a FakeMessages."""

    messages: FakeMessages
    most: int = limits.ACCEPTED_PER_TENANT

    async def full(self, tenant: str) -> bool:
        """See the port."""
        return self.messages.open(tenant) >= self.most
