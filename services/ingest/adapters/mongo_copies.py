"""The copies to be filed, in MongoDB; their octets inline up to 64 KiB, larger ones in the shared blobs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from services.ingest.adapters.streamed import streamed
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.sent_copy import SentCopy
from services.ingest.domain.session import Streamed
from services.kit.blobs import Blobs
from services.kit.mongo import Collection, Document, key, translated

_FIELDS: Final = tuple(each.name for each in fields(SentCopy) if each.name not in ("tenant", "message_id"))
_LIFE: Final = timedelta(days=7)


class MongoCopies:
    """The CopyStore port."""

    def __init__(self, collection: Collection, blobs: Blobs) -> None:
        self._collection, self._blobs = collection, blobs

    async def put(self, copy: SentCopy) -> None:
        """See CopyStore."""
        document: Document = {name: getattr(copy, name) for name in _FIELDS}
        document |= {"channel": key(*copy.key), "until": copy.sent_at + _LIFE}
        newer = {"_id": key(copy.tenant, copy.message_id), "tries": {"$gt": copy.tries}}
        async with translated():
            if await self._collection.find_one(newer, {"_id": 1}) is None:
                await self._collection.replace_one({"_id": newer["_id"]}, document, upsert=True)

    async def due(self, channels: Sequence[ChannelKey], now: datetime, limit: int) -> Sequence[SentCopy]:
        """See CopyStore."""
        if not channels:
            return []
        wanted = {"due_at": {"$lte": now}, "channel": {"$in": [key(*each) for each in channels]}}
        async with translated():
            found = await self._collection.find(wanted).sort("due_at").limit(limit).to_list(None)
        return [_copy(document) for document in found]

    async def octets(self, copy: SentCopy) -> Streamed | None:
        """See CopyStore."""
        if copy.octets is not None:
            return streamed(copy.octets)
        seen, again = [await self._blobs.stream(copy.tenant, copy.blob_id or "") for _ in range(2)]
        if seen is None or again is None:
            return None
        digest, size = hashlib.sha256(), 0
        async for piece in seen:
            digest.update(piece)
            size += len(piece)
        return Streamed(size, again) if digest.hexdigest() == copy.sha256 else None

    async def done(self, copy: SentCopy) -> None:
        """See CopyStore."""
        async with translated():
            await self._collection.delete_one({"_id": key(copy.tenant, copy.message_id)})


def _copy(found: Any) -> SentCopy:
    tenant, _, message_id = found["_id"].partition("/")
    return SentCopy(tenant=tenant, message_id=message_id, **{name: found[name] for name in _FIELDS if name in found})
