"""The state of each channel's SMTP direction in MongoDB; the owed events stand in the same document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from contracts.channel_status import ConnectionState
from contracts.event import AnyEvent
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe
from services.outbox.domain.smtp_status import SmtpStatus

_FIELDS: Final = tuple(field.name for field in fields(SmtpStatus) if field.name not in ("tenant", "channel_id"))
_RESTING: Final = [ConnectionState.DISABLED.value, ConnectionState.AUTH_FAILED.value]


class MongoStatuses:
    """The StatusStore port."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def load(self, tenant: str, channel_id: str) -> SmtpStatus | None:
        """See StatusStore."""
        async with translated():
            found = await self._collection.find_one({"_id": key(tenant, channel_id)})
        return None if found is None else _status(found)

    async def write(self, before: SmtpStatus | None, after: SmtpStatus, owed: Sequence[AnyEvent]) -> bool:
        """See StatusStore; raises Unanswered when nobody knows whether it was written."""
        doc_id, events = key(after.tenant, after.channel_id), [owe(event) for event in owed]
        values: Document = {name: getattr(after, name) for name in _FIELDS}
        known = {name: value for name, value in values.items() if value is not None}
        async with translated():
            if before is None:
                return await self._create({"_id": doc_id, **known, "owed_events": events})
            change: Document = {"$set": known, "$push": {"owed_events": {"$each": events}}}
            if gone := [name for name, value in values.items() if value is None]:
                change["$unset"] = dict.fromkeys(gone, "")
            done = await self._collection.update_one({"_id": doc_id, "version": before.version}, change)
        return bool(done.matched_count)

    async def stale(self, before: datetime, limit: int) -> Sequence[SmtpStatus]:
        """See StatusStore."""
        awake: Document = {"state": {"$nin": _RESTING}}
        retry: Document = {"next_retry_at": {"$exists": True}, "$expr": {"$lte": ["$next_retry_at", "$$NOW"]}}
        wanted: Document = {
            "$or": [{**awake, "proven_at": {"$lt": before}}, {**awake, "proven_at": None}, retry],
        }
        async with translated():
            return [_status(found) for found in await self._collection.find(wanted).limit(limit).to_list(None)]

    async def drop(self, tenant: str, channel_id: str) -> None:
        """See StatusStore."""
        async with translated():
            await self._collection.delete_one({"_id": key(tenant, channel_id)})

    async def _create(self, document: Document) -> bool:
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError:
            return False
        return True


def _status(found: Any) -> SmtpStatus:
    tenant, _, channel_id = found["_id"].partition("/")
    return SmtpStatus(tenant, channel_id, **{name: found[name] for name in _FIELDS if name in found})
