"""Messages in MongoDB: acceptance and projection grouped into unordered bulks of single guarded writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from contracts.event import AnyEvent, Event
from contracts.message import SendRequested
from contracts.outbound import InterruptAnswered
from services.gateway.adapters import mongo_forms as forms
from services.gateway.adapters.indexes import OPEN
from services.gateway.adapters.mongo_accept import Acceptance, Inserts
from services.gateway.adapters.mongo_advance import Advances, Relaying
from services.gateway.adapters.mongo_pages import behind, cut_of
from services.gateway.domain.bounce import Bounce
from services.gateway.domain.message import CLOCK, Asked, Cancel, Message, Progress, Resolution, Status
from services.gateway.domain.page import Cut, Page
from services.gateway.ports import Kept, Key
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe, owed_event

SOURCE: Final = "gateway"
AGAIN_MS: Final = 3_600_000
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WITHOUT: Final = {"owed_events": 0}
_BARE: Final = {**_WITHOUT, "text": 0, "html": 0, "references": 0}
_EMPTY: Final = {"text": None, "html": None, "references": ()}


class MongoMessages:
    """See ``ports.Messages``."""

    def __init__(self, collection: Collection, relay: Relaying) -> None:
        self._collection, self._speak = collection, relay.hand_over
        self._inserts, self._advances = Inserts(collection), Advances(collection, relay)

    async def accept(self, message: Message, key: Key, event: Event[SendRequested]) -> Kept[Message]:
        """See the port."""
        if await self._inserts.submit(Acceptance(message, key, owe(event))):
            self._speak(f"{message.tenant}/{message.message_id}", (event,))
            return Kept(message, fresh=True, same_body=True)
        kept = await self.find_key(message.tenant, key)
        if kept is None:
            raise LookupError("a message stands under this id with another idempotency key")
        return kept

    async def find_key(self, tenant: str, key: Key) -> Kept[Message] | None:
        """See the port."""
        document = await self._one({"tenant": tenant, "idempotency_key": key.value})
        if document is None:
            return None
        return Kept(forms.message_of(document), fresh=False, same_body=document["body_hash"] == key.body_hash)

    async def get(self, tenant: str, message_id: str) -> Message | None:
        """See the port."""
        document = await self._one({"_id": key(tenant, message_id)})
        return forms.message_of(document) if document else None

    async def some(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, Message]:
        """See the port."""
        query = {"_id": {"$in": [key(tenant, one) for one in message_ids]}}
        async with translated():
            found = await self._collection.find(query, _BARE).to_list(None)
        return {one["message_id"]: forms.message_of({**one, **_EMPTY}) for one in found}

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Message]:
        """See the port."""
        query: Document = {"tenant": tenant, "conversation_id": conversation_id, "hidden": False}
        query |= behind(cut, "accepted_at")
        async with translated():
            cursor = self._collection.find(query, _WITHOUT).sort([("accepted_at", -1), ("message_id", -1)])
            found = await cursor.limit(cut.limit + 1).to_list(None)
        return cut_of([forms.message_of(document) for document in found], cut, _place)

    async def clocked(self, tenant: str, limit: int) -> Sequence[Message]:
        """See the port."""
        query = {"tenant": tenant, "open": True, "progress.status": {"$in": [str(one) for one in CLOCK]}}
        async with translated():
            found = await self._collection.find(query, _BARE).hint(OPEN).limit(limit).to_list(None)
        return [forms.message_of({**one, **_EMPTY}) for one in found]

    async def ask(self, message: Message, cancel: Cancel, event: AnyEvent) -> bool:
        """See the port."""
        pushed = {"cancels": forms.cancel_form(cancel), "owed_events": owe(event)}
        return await self._owing(message, {"$push": pushed, "$inc": {"version": 1}})

    async def join(self, tenant: str, message_id: str, cancel_id: str, asked: Asked) -> None:
        """See the port."""
        query = {"_id": key(tenant, message_id), "cancels.cancel_id": cancel_id}
        async with translated():
            await self._collection.update_one(query, {"$push": {"cancels.$.asked": forms.asked_form(asked)}})

    async def resolve(self, message: Message, resolution: Resolution) -> bool:
        """See the port."""
        change = {"$set": {"resolution": forms.resolution_form(resolution)}, "$inc": {"version": 1}}
        return await self._owing(message, change)

    async def hide(self, tenant: str, message_id: str) -> Message | None:
        """See the port."""
        async with translated():
            document = await self._collection.find_one_and_update(
                {"_id": key(tenant, message_id)}, {"$set": {"hidden": True}}, _WITHOUT, return_document=True
            )
        return forms.message_of(document) if document else None

    async def advance(self, tenant: str, message_id: str, progress: Progress) -> None:
        """See the port."""
        await self._advances.submit(key(tenant, message_id), progress)

    async def answer(self, tenant: str, answered: InterruptAnswered, at: datetime) -> None:
        """See the port."""
        doc_id, status = key(tenant, answered.message_id), str(answered.status) if answered.status else None
        known: Document = {"_id": doc_id, "cancels.cancel_id": answered.cancel_id}
        says = {"cancels.$.outcome": str(answered.outcome), "cancels.$.status": status}
        asked = (Asked(answered.requested_by or "", at),)
        foreign = Cancel(answered.cancel_id, asked, str(answered.outcome), status)
        async with translated():
            done = await self._collection.update_one(known, {"$set": says})
            if not done.matched_count:
                unknown = {"_id": doc_id, "cancels.cancel_id": {"$ne": answered.cancel_id}}
                await self._collection.update_one(unknown, {"$push": {"cancels": forms.cancel_form(foreign)}})

    async def bounced(self, tenant: str, message_id: str, bounce: Bounce) -> None:
        """See the port."""
        unknown = {"_id": key(tenant, message_id), "bounces.message_id": {"$ne": bounce.message_id}}
        async with translated():
            await self._collection.update_one(unknown, {"$push": {"bounces": forms.bounce_form(bounce)}})

    async def overdue(self, before: datetime, limit: int) -> Sequence[Message]:
        """See the port."""
        pause = {"$lt": [{"$ifNull": ["$again_at", NEVER]}, {"$subtract": ["$$NOW", AGAIN_MS]}]}
        query = {
            "open": True, "progress.status": str(Status.ACCEPTED), "expires_at": {"$lt": before}, "$expr": pause
        }  # fmt: skip
        async with translated():
            found = await self._collection.find(query, _WITHOUT).hint(OPEN).limit(limit).to_list(None)
        return [forms.message_of(document) for document in found]

    async def owe_again(self, message: Message, event: Event[SendRequested], at: datetime) -> None:
        """See the port."""
        change = {"$set": {"again_at": at}, "$push": {"owed_events": owe(event)}}
        await self._owing(message, change)

    async def _owing(self, message: Message, change: Document) -> bool:
        """One compare-and-set on the gateway's version; what the document then owes is spoken in order."""
        guard: dict[str, Any] = {"_id": key(message.tenant, message.message_id), "version": message.version}
        async with translated():
            document = await self._collection.find_one_and_update(
                guard, change, {"owed_events": 1}, return_document=True
            )
        if document is None:
            return False
        owed = [owed_event(message.tenant, one, SOURCE) for one in document["owed_events"]]
        if owed:
            self._speak(document["_id"], owed)
        return True

    async def _one(self, query: Document) -> Document | None:
        async with translated():
            return await self._collection.find_one(query, _WITHOUT)


def _place(message: Message) -> tuple[str, ...]:
    return message.accepted_at.isoformat(), message.message_id
