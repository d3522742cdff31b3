"""Conversations in MongoDB; reads and the moves of ``last_at`` are grouped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateMany
from pymongo.errors import BulkWriteError

from contracts.event import AnyEvent
from services.gateway.adapters import mongo_forms as forms
from services.gateway.adapters import mongo_joining as joining_writes
from services.gateway.adapters.indexes import ATTENTION, UNREAD_FIRST
from services.gateway.adapters.mongo_accept import PACE_S, refuse_others
from services.gateway.domain.conversation import Conversation, View, Wanted
from services.gateway.domain.inbound import Joining
from services.gateway.domain.message import Message
from services.gateway.domain.page import Cut, Page
from services.gateway.ports import Kept, Key
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated, write_each
from services.kit.owed import owe, owed_event
from services.kit.versioned import Speak

_WITHOUT: Final = {"owed_events": 0, "words": 0, "joined": 0, "unread_mails": 0, "authors": 0, "troubled": 0}
_ORDER: Final = [("has_unread", -1), ("last_at", -1), ("_id", -1)]


class MongoConversations:
    """See ``ports.Conversations``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._speak = collection, speak
        self._reads: Coalescer[str, Conversation | None] = Coalescer(self._read, limit=200, pace_s=PACE_S)
        self._begins: Coalescer[Document, bool] = Coalescer(self._begin, limit=200)
        self._moves: Coalescer[UpdateMany, None] = Coalescer(self._move, limit=200, pace_s=PACE_S)

    async def start(self, conversation: Conversation, key: Key, event: AnyEvent) -> Kept[Conversation]:
        """See the port."""
        form = forms.conversation_form(conversation)
        document = {**form, "body_hash": key.body_hash, "owed_events": [owe(event)]}
        if not await self._begins.submit(document):
            return await self._standing(form["_id"], key)
        self._speak(form["_id"], (event,))
        return Kept(conversation, fresh=True, same_body=True)

    async def get(self, tenant: str, conversation_id: str) -> Conversation | None:
        """See the port."""
        return await self._reads.submit(key(tenant, conversation_id))

    async def list(self, tenant: str, wanted: Wanted, cut: Cut) -> Page[Conversation]:
        """See the port."""
        query = _query(tenant, wanted)
        if cut.after:
            query["$or"] = _after(tenant, cut.after)
        async with translated():
            cursor = self._collection.find(query, _WITHOUT).sort(_ORDER).limit(cut.limit + 1)
            found = [forms.conversation_of(document) for document in await cursor.to_list(None)]
        items = tuple(found[: cut.limit])
        return Page(items, _position(items[-1]) if len(found) > cut.limit else None)

    async def extend(self, tenant: str, conversation_id: str, message: Message) -> None:
        """See the port."""
        await self._moves.submit(UpdateMany({"_id": key(tenant, conversation_id)}, joining_writes.extending(message)))

    async def retract(self, tenant: str, conversation_id: str, internet_message_id: str) -> None:
        """See the port."""
        change = {"$pull": {"thread": internet_message_id}}
        await self._moves.submit(UpdateMany({"_id": key(tenant, conversation_id)}, change))

    async def join(self, tenant: str, conversation_id: str, joining: Joining) -> None:
        """See the port."""
        await self._moves.submit(UpdateMany({"_id": key(tenant, conversation_id)}, joining_writes.joining_in(joining)))

    async def read(self, tenant: str, conversation_id: str, up_to: tuple[datetime, str] | None) -> Conversation | None:
        """See the port."""
        return await self._changed(tenant, conversation_id, joining_writes.reading(up_to))

    async def ask_attention(self, tenant: str, conversation_id: str, message_id: str) -> None:
        """See the port."""
        await self._moves.submit(UpdateMany({"_id": key(tenant, conversation_id)}, joining_writes.asking(message_id)))

    async def attended(self, tenant: str, conversation_id: str, message_id: str | None) -> Conversation | None:
        """See the port."""
        return await self._changed(tenant, conversation_id, joining_writes.attending(message_id))

    async def count(self, tenant: str, view: View, most: int) -> int:
        """See the port."""
        query = _query(tenant, Wanted(view))
        hint = ATTENTION if view is View.ATTENTION else UNREAD_FIRST
        async with translated():
            return await self._collection.count_documents(query, limit=most, hint=hint)

    async def hide(self, conversation: Conversation, event: AnyEvent) -> bool:
        """See the port."""
        guard = {"_id": key(conversation.tenant, conversation.conversation_id), "version": conversation.version}
        change = {
            "$set": {"hidden": event.data.hidden, "version": event.data.version},
            "$push": {"owed_events": owe(event)},
        }
        return await self._owing(guard, change)

    async def owe_again(self, tenant: str, conversation_id: str, event: AnyEvent) -> None:
        """See the port."""
        guard = {"_id": key(tenant, conversation_id), "version": event.data.version}
        await self._owing(guard, {"$push": {"owed_events": owe(event)}})

    async def _changed(self, tenant: str, conversation_id: str, change: Sequence[Document]) -> Conversation | None:
        async with translated():
            document = await self._collection.find_one_and_update(
                {"_id": key(tenant, conversation_id)}, change, _WITHOUT, return_document=True
            )
        return forms.conversation_of(document) if document else None

    async def _owing(self, guard: Document, change: Document) -> bool:
        async with translated():
            document = await self._collection.find_one_and_update(
                guard, change, {"owed_events": 1, "tenant": 1}, return_document=True
            )
        if document is None:
            return False
        owed = [owed_event(document["tenant"], one, "gateway") for one in document["owed_events"]]
        self._speak(document["_id"], owed)
        return True

    async def _standing(self, doc_id: str, key: Key) -> Kept[Conversation]:
        async with translated():
            document = await self._collection.find_one({"_id": doc_id}, _WITHOUT)
        if document is None:
            raise LookupError("a conversation that stood there is gone")
        same = document.get("body_hash") == key.body_hash
        return Kept(forms.conversation_of(document), fresh=False, same_body=same)

    async def _read(self, group: Sequence[str]) -> Sequence[Conversation | None]:
        async with translated():
            found = await self._collection.find({"_id": {"$in": [*{*group}]}}, _WITHOUT).to_list(None)
        known = {document["_id"]: forms.conversation_of(document) for document in found}
        return [known.get(doc_id) for doc_id in group]

    async def _begin(self, group: Sequence[Document]) -> Sequence[bool]:
        taken: set[int] = set()
        try:
            async with translated():
                await self._collection.insert_many(group, ordered=False)
        except BulkWriteError as error:
            taken = refuse_others(error)
        return [index not in taken for index in range(len(group))]

    async def _move(self, group: Sequence[UpdateMany]) -> Sequence[None]:
        await write_each(self._collection, group)
        return [None] * len(group)


def _query(tenant: str, wanted: Wanted) -> Document:
    query: Document = {"tenant": tenant, "hidden": wanted.view is View.HIDDEN}
    if wanted.view is View.CLOCK:  # a hidden conversation too: what shows the clock can be interrupted
        query = {"tenant": tenant, "_id": {"$in": [key(tenant, one) for one in wanted.among]}}
    if wanted.view is View.UNREAD:
        query["has_unread"] = True
    if wanted.view is View.ATTENTION:
        query["has_trouble"] = True
    if wanted.view is View.MINE:
        query["authors"] = {"$in": list(wanted.me)}
    if wanted.channel_id:
        query["channel_id"] = wanted.channel_id
    if wanted.words:
        if wanted.view is View.ALL:  # whoever searches everything looks for what is hidden too
            query.pop("hidden", None)
        query["$and"] = [{"words": {"$regex": f"^{re.escape(word)}"}} for word in wanted.words]
    return query


def _after(tenant: str, after: tuple[str, ...]) -> list[Document]:
    unread, at, doc_id = after[0] == "1", datetime.fromisoformat(after[1]), key(tenant, after[2])
    read = [{"has_unread": False}] if unread else []
    return [
        *read, {"has_unread": unread, "last_at": {"$lt": at}},
        {"has_unread": unread, "last_at": at, "_id": {"$lt": doc_id}},
    ]  # fmt: skip


def _position(conversation: Conversation) -> tuple[str, ...]:
    return ("1" if conversation.unread else "0", conversation.last_at.isoformat(), conversation.conversation_id)
