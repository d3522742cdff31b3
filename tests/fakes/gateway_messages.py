"""The gateway's messages and conversations in memory, with the promises of its ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts import limits
from contracts.event import AnyEvent, Event
from contracts.message import SendRequested
from contracts.outbound import InterruptAnswered
from services.gateway.domain.bounce import Bounce
from services.gateway.domain.conversation import Conversation, Direction, Last, View, Wanted, preview_of
from services.gateway.domain.inbound import Joining
from services.gateway.domain.message import TERMINAL, Asked, Cancel, Message, Progress, Resolution, Status
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.words import words_of
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
        found.sort(key=_said, reverse=True)
        if cut.after:
            found = [one for one in found if _said(one) < (datetime.fromisoformat(cut.after[0]), cut.after[1])]
        items = tuple(found[: cut.limit])
        last = (items[-1].accepted_at.isoformat(), items[-1].message_id) if len(found) > cut.limit else None
        return Page(items, last)

    async def some(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """See the port."""
        found = {one: self.kept.get((tenant, one)) for one in message_ids}
        return {one: replace(said, text=None, html=None, references=()) for one, said in found.items() if said}

    async def clocked(self, tenant: str, limit: int) -> Sequence[Message]:
        """See the port."""
        found = [one for (owner, _), one in self.kept.items() if owner == tenant and one.interruptible]
        return [replace(one, text=None, html=None, references=()) for one in found[:limit]]

    async def bounced(self, tenant: str, message_id: str, bounce: Bounce) -> None:
        """See the port."""
        known = self.kept.get((tenant, message_id))
        if known is not None and bounce.message_id not in [one.message_id for one in known.bounces]:
            self.kept[tenant, message_id] = replace(known, bounces=(*known.bounces, bounce))

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
    joined: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    unread: dict[tuple[str, str], list[tuple[datetime, str]]] = field(default_factory=dict)
    authors: dict[tuple[str, str], set[str | None]] = field(default_factory=dict)
    words: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    troubled: set[tuple[str, str]] = field(default_factory=set)

    async def start(self, conversation: Conversation, key: Key, event: AnyEvent) -> Kept[Conversation]:
        """See the port."""
        where = (conversation.tenant, conversation.conversation_id)
        if where in self.kept:
            return Kept(self.kept[where], fresh=False, same_body=self.bodies.get(where) == key.body_hash)
        self.kept[where], self.bodies[where] = conversation, key.body_hash
        self.spoken.append(("/".join(where), event))
        self.authors[where] = {conversation.created_by}
        people = (f"{one.name} {one.address}" for one in conversation.participants)
        self.words[where] = {*words_of((*people, conversation.subject or ""))}
        return Kept(conversation, fresh=True, same_body=True)

    async def get(self, tenant: str, conversation_id: str) -> Conversation | None:
        """See the port."""
        return self.kept.get((tenant, conversation_id))

    async def list(self, tenant: str, wanted: Wanted, cut: Cut) -> Page[Conversation]:
        """See the port."""
        found = [one for where, one in self.kept.items() if where[0] == tenant and self._is(where, one, wanted)]
        found.sort(key=_position, reverse=True)
        if cut.after:
            after = (cut.after[0] == "1", datetime.fromisoformat(cut.after[1]), cut.after[2])
            found = [one for one in found if _position(one) < after]
        items = tuple(found[: cut.limit])
        if len(found) <= cut.limit:
            return Page(items)
        last = items[-1]
        return Page(items, ("1" if last.unread else "0", last.last_at.isoformat(), last.conversation_id))

    def _is(self, where: tuple[str, str], one: Conversation, wanted: Wanted) -> bool:
        words = self.words.get(where, set())
        clock, every = wanted.view is View.CLOCK, bool(wanted.words) and wanted.view is View.ALL
        return (
            (where[1] in wanted.among if clock else every or one.hidden is (wanted.view is View.HIDDEN))
            and (wanted.view is not View.ATTENTION or bool(one.trouble))
            and (wanted.view is not View.UNREAD or one.unread > 0)
            and (wanted.view is not View.MINE or not self.authors.get(where, set()).isdisjoint(wanted.me))
            and wanted.channel_id in (None, one.channel_id)
            and all(any(word.startswith(asked) for word in words) for asked in wanted.words)
        )

    async def extend(self, tenant: str, conversation_id: str, message: Message) -> None:
        """See the port."""
        where = (tenant, conversation_id)
        known = self.kept[where]
        last = Last(message.message_id, Direction.OUT, "sent", message.accepted_at, preview_of(message.text or ""))
        self.authors.setdefault(where, set()).update((message.requested_by, message.operator_id))
        self.words.setdefault(where, set()).update(words_of((message.subject,)))
        known = replace(known, subject=known.subject or message.subject, trouble=())
        self.kept[where] = _moved(_threaded(known, message.internet_message_id), last)

    async def retract(self, tenant: str, conversation_id: str, internet_message_id: str) -> None:
        """See the port."""
        known = self.kept[tenant, conversation_id]
        left = tuple(one for one in known.thread if one != internet_message_id)
        self.kept[tenant, conversation_id] = replace(known, thread=left)

    async def join(self, tenant: str, conversation_id: str, joining: Joining) -> None:
        """See the port."""
        where, message_id = (tenant, conversation_id), joining.last.message_id
        known, joined = self.kept[where], self.joined.setdefault(where, [])
        known = _moved(replace(known, subject=known.subject or joining.subject), joining.last)
        sender = f"{joining.sender.name} {joining.sender.address}" if joining.sender else ""
        self.words.setdefault(where, set()).update(words_of((sender, joining.subject or "")))
        if message_id not in joined:
            joined.append(message_id)
            known = _threaded(known, joining.thread_id) if joining.thread_id else known
            if joining.returned_id:
                known = replace(known, trouble=tuple({*known.trouble, joining.returned_id}))
            if joining.wants_reading:
                self.unread.setdefault(where, []).append((joining.last.at, message_id))
        self.kept[where] = replace(known, unread=len(self.unread.get(where, [])))

    async def read(self, tenant: str, conversation_id: str, up_to: tuple[datetime, str] | None) -> Conversation | None:
        """See the port."""
        where = (tenant, conversation_id)
        if where not in self.kept:
            return None
        self.unread[where] = [one for one in self.unread.get(where, []) if up_to is not None and one > up_to]
        self.kept[where] = replace(self.kept[where], unread=len(self.unread[where]))
        return self.kept[where]

    async def ask_attention(self, tenant: str, conversation_id: str, message_id: str) -> None:
        """See the port."""
        known = self.kept[tenant, conversation_id]
        if (tenant, message_id) not in self.troubled:
            self.troubled.add((tenant, message_id))
            self.kept[tenant, conversation_id] = replace(known, trouble=(*known.trouble, message_id))

    async def attended(self, tenant: str, conversation_id: str, message_id: str | None) -> Conversation | None:
        """See the port."""
        known = self.kept.get((tenant, conversation_id))
        if known is not None:
            left = tuple(one for one in known.trouble if message_id is not None and one != message_id)
            known = self.kept[tenant, conversation_id] = replace(known, trouble=left)
        return known

    async def count(self, tenant: str, view: View, most: int) -> int:
        """See the port."""
        return len((await self.list(tenant, Wanted(view), Cut(most))).items)

    async def hide(self, conversation: Conversation, event: AnyEvent) -> bool:
        """See the port."""
        where = (conversation.tenant, conversation.conversation_id)
        if self.kept[where].version != conversation.version:
            return False
        self.kept[where] = replace(self.kept[where], hidden=event.data.hidden, version=event.data.version)
        self.spoken.append(("/".join(where), event))
        return True

    async def owe_again(self, tenant: str, conversation_id: str, event: AnyEvent) -> None:
        """See the port."""
        self.spoken.append((f"{tenant}/{conversation_id}", event))


def _position(conversation: Conversation) -> tuple[bool, datetime, str]:
    return conversation.unread > 0, conversation.last_at, conversation.conversation_id


def _said(message: Message) -> tuple[datetime, str]:
    return message.accepted_at, message.message_id


def _threaded(known: Conversation, mail_id: str) -> Conversation:
    if mail_id in known.thread:
        return known
    return replace(known, thread=(*known.thread, mail_id)[-limits.REFERENCES :])


def _moved(known: Conversation, last: Last) -> Conversation:
    newest = last if known.last is None or known.last.at <= last.at else known.last
    return replace(known, last=newest, last_at=max(known.last_at, last.at))


@dataclass
class FakeBacklog:
    """Counts the messages of a FakeMessages."""

    messages: FakeMessages
    most: int = limits.ACCEPTED_PER_TENANT

    async def full(self, tenant: str) -> bool:
        """See the port."""
        return self.messages.open(tenant) >= self.most
