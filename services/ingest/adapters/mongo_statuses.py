"""The state of each channel's IMAP direction in MongoDB; the owed events stand in the same document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from pymongo import UpdateOne

from contracts.event import AnyEvent
from services.ingest.adapters.grouped_mongo import Change, GroupedChanges, GroupedReads
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.status import ImapStatus
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe

_FIELDS: Final = tuple(field.name for field in fields(ImapStatus) if field.name not in ("tenant", "channel_id"))


class MongoStatuses:
    """The StatusStore port."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._reads, self._changes = GroupedReads(collection), GroupedChanges(collection)

    async def load(self, tenant: str, channel_id: str) -> ImapStatus | None:
        """See StatusStore."""
        found = await self._reads.find([key(tenant, channel_id)])
        return _status(found[0]) if found else None

    async def write(self, before: ImapStatus | None, after: ImapStatus, owed: Sequence[AnyEvent]) -> bool:
        """See StatusStore; raises Unanswered when nobody knows whether it was written."""
        doc_id, events, mark = key(after.tenant, after.channel_id), [owe(event) for event in owed], uuid4().hex
        values: Document = {name: getattr(after, name) for name in _FIELDS} | {"mark": mark}
        if before is None:
            document = {"_id": doc_id, **values, "owed_events": events}
            return await self._changes.make(Change({"_id": doc_id}, document, {"mark": mark}, create=True))
        change: Document = {"$set": values, "$push": {"owed_events": {"$each": events}}}
        where = {"_id": doc_id, "version": before.version}
        return await self._changes.make(Change(where, change, {"mark": mark}))

    async def prove(self, keys: Sequence[ChannelKey], at: datetime) -> None:
        """See StatusStore."""
        writes = [UpdateOne({"_id": key(*one), "state": "connected"}, {"$max": {"proven_at": at}}) for one in keys]
        if writes:
            async with translated():
                await self._collection.bulk_write(writes, ordered=False)

    async def stale(self, before: datetime, limit: int) -> Sequence[ImapStatus]:
        """See StatusStore."""
        wanted: Document = {"state": "connected", "proven_at": {"$lt": before}}
        async with translated():
            return [_status(found) for found in await self._collection.find(wanted).limit(limit).to_list(None)]

    async def drop(self, tenant: str, channel_id: str) -> None:
        """See StatusStore."""
        async with translated():
            await self._collection.delete_one({"_id": key(tenant, channel_id)})


def _status(found: Any) -> ImapStatus:
    tenant, _, channel_id = found["_id"].partition("/")
    return ImapStatus(tenant, channel_id, **{name: found[name] for name in _FIELDS if name in found})
