"""What the loops ask the outbound messages: due, lapsed, expired, orphaned, old. Sweeps read across tenants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.kit.mongo import Collection, Document, key, translated
from services.outbox.adapters.mongo_documents import to_message
from services.outbox.adapters.mongo_writes import KNOWN, LAPSED, TRIED
from services.outbox.domain.document import Message, Status
from services.outbox.ports import Ticket

_HERE: Final = {"$exists": True}
_NOT_EXPIRED: Final = {"$expr": {"$lt": ["$$NOW", "$expires_at"]}}


class MongoLists:
    """The reading half of the MessageStore, and the two sweeps that delete."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def due(self, tenant: str, channel_id: str, before: datetime, limit: int) -> Sequence[Ticket]:
        """See MessageStore."""
        wanted: Document = {
            "waits": key(tenant, channel_id), "due_at": {"$lt": before}, "schema": KNOWN, "recipients.state": TRIED,
        }  # fmt: skip
        fields = {"conversation_id": 1, "due_at": 1, "tries": 1, "status": 1}
        found = self._collection.find(wanted | _NOT_EXPIRED, fields).sort([("due_at", 1), ("_id", 1)]).limit(limit)
        async with translated():
            return [_ticket(tenant, channel_id, each) for each in await found.to_list(None)]

    async def due_lanes(self, before: datetime, limit: int) -> Sequence[tuple[str, str, datetime]]:
        """See MessageStore; each lane's first entry of the due index, so its cost is the lanes', not the messages'."""
        steps: list[Document] = [
            {"$match": {"waits": {"$gt": ""}}},  # not $exists: the server skips from lane to lane with this form alone
            {"$sort": {"waits": 1, "due_at": 1, "_id": 1}},
            {"$group": {"_id": "$waits", "due_at": {"$first": "$due_at"}}},
            {"$match": {"due_at": {"$lt": before}}},
            {"$sort": {"due_at": 1}},
            {"$limit": limit},
        ]
        async with translated():
            found = await self._collection.aggregate(steps, hint="due").to_list(None)
        return [(*_lane(each["_id"]), each["due_at"]) for each in found]

    async def lapsed(self, limit: int) -> Sequence[Message]:
        """See MessageStore."""
        return await self._messages({"status": Status.COMMITTED.value, **LAPSED}, limit)

    async def expired(self, limit: int) -> Sequence[Message]:
        """See MessageStore."""
        past = {"$expr": {"$lte": ["$expires_at", "$$NOW"]}}
        return await self._messages({"waits": _HERE, "expires_at": _HERE, **past}, limit)

    async def of_channel(self, tenant: str, channel_id: str, limit: int) -> Sequence[Message]:
        """See MessageStore."""
        return await self._messages({"waits": key(tenant, channel_id)}, limit)

    async def orphans(self, before: datetime, limit: int) -> Sequence[Message]:
        """See MessageStore."""
        wanted: Document = {"status": Status.UNSEEN.value, "created_at": {"$lt": before}, "terminal_at": None}
        return await self._messages(wanted, limit)

    async def slim(self, before: datetime, limit: int) -> int:
        """See MessageStore."""
        old: Document = {"raw": _HERE, "terminal_at": {"$lt": before}, "schema": KNOWN}
        async with translated():
            ids = await self._ids(old, limit)
            return (
                await self._collection.update_many({"_id": {"$in": ids}, **old}, {"$unset": {"raw": ""}})
            ).modified_count

    async def purge(self, before: datetime, limit: int) -> int:
        """See MessageStore."""
        old: Document = {"terminal_at": {"$lt": before}, "owed_events.0": {"$exists": False}, "schema": KNOWN}
        async with translated():
            ids = await self._ids(old, limit)
            return (await self._collection.delete_many({"_id": {"$in": ids}, **old})).deleted_count

    async def _ids(self, wanted: Document, limit: int) -> list[str]:
        found = await self._collection.find(wanted, {"_id": 1}).sort("terminal_at", 1).limit(limit).to_list(None)
        return [each["_id"] for each in found]

    async def _messages(self, wanted: Document, limit: int) -> Sequence[Message]:
        async with translated():
            found = await self._collection.find({**wanted, "schema": KNOWN}).limit(limit).to_list(None)
        return [to_message(document) for document in found]


def _lane(waits: str) -> tuple[str, str]:
    tenant, _, channel_id = waits.partition("/")
    return tenant, channel_id


def _ticket(tenant: str, channel_id: str, found: Document) -> Ticket:
    message_id = found["_id"].partition("/")[2]
    first = found["tries"] == 0 and found["status"] == Status.QUEUED.value
    return Ticket(tenant, channel_id, message_id, found["conversation_id"], found["due_at"], first)
