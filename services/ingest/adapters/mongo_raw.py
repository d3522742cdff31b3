"""Raw mails, attachments and long bodies, in the form of the shared blob store: one insert for a slice, or for several.

The ids are the contents' own, so that what is stored again after a crash is there already.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from bson import Binary

from contracts.blob import BlobRef
from services.ingest.adapters.grouped_mongo import GroupedInserts
from services.ingest.domain.parsed import Held
from services.ingest.ports import Gone, Stored
from services.kit import metrics
from services.kit.blob_store import BlobStore, Lost
from services.kit.blobs import Blobs
from services.kit.clock import Clock
from services.kit.mongo import Database, Document, key, translated

INLINE: Final = 4 << 20
"""Above it GridFS, which costs two to three times as much below (FINDINGS, "Ingest, measured")."""
_BATCH_OCTETS: Final = 4 << 20
_AT_ONCE: Final = 4
"""Slices that are written together: one of many mails is large enough by itself, those of one mail are not."""


class MongoRaw:
    """The RawStore port over the blobs' database; ``life`` is how long what comes in is kept."""

    def __init__(self, database: Database, clock: Clock, life: timedelta) -> None:
        self._documents, self._store, self._blobs = database["blobs"], BlobStore(database), Blobs(database)
        self._inserts = GroupedInserts(self._documents, limit=_AT_ONCE)
        self._clock, self._life = clock, life

    async def keep(self, tenant: str, things: Sequence[Stored]) -> None:
        """See RawStore."""
        until = self._clock.now() + self._life
        for thing in things:
            if thing.held is not None:
                await self._adopt(tenant, thing, thing.held, until)
        here = [thing for thing in things if thing.held is None]
        for batch in _batches([thing for thing in here if len(thing.octets) <= INLINE]):
            await self._inserts.insert([_document(tenant, thing, until, Binary(thing.octets)) for thing in batch])
            metrics.blob_bytes.labels("document").inc(sum(len(thing.octets) for thing in batch))
        for thing in here:
            if len(thing.octets) > INLINE:
                await self._keep_long(tenant, thing, until)

    async def _adopt(self, tenant: str, thing: Stored, held: Held, until: datetime) -> None:
        mine = BlobRef(blob_id=held.blob_id, sha256=held.sha256, size=held.size, media_type=thing.ref.media_type)
        try:
            await self._blobs.adopt(tenant, mine, thing.ref, until)
        except Lost as lost:
            raise Gone from lost

    async def hold(self, tenant: str, octets: AsyncIterator[bytes]) -> Held:
        """See RawStore."""
        ref = await self._blobs.put(tenant, octets, "application/octet-stream", inline=0)
        return Held(ref.blob_id, ref.sha256, ref.size)

    async def held(self, tenant: str, held: Held) -> AsyncIterator[bytes]:
        """See RawStore."""
        try:
            async for piece in self._store.read(key(tenant, held.blob_id)):
                yield piece
        except Lost as lost:
            raise Gone from lost

    async def _keep_long(self, tenant: str, thing: Stored, until: datetime) -> None:
        whole_id = key(tenant, thing.ref.blob_id)
        async with translated():
            if await self._documents.find_one({"_id": whole_id, "state": "whole"}, {"_id": 1}):
                return
            await self._store.remove(whole_id)
            await self._store.write(whole_id, tenant, b"", _parts(thing.octets))
        await self._inserts.insert([_document(tenant, thing, until, None)])
        metrics.blob_bytes.labels("gridfs").inc(len(thing.octets))


def _document(tenant: str, thing: Stored, until: datetime, content: Binary | None) -> Document:
    return {
        "_id": key(tenant, thing.ref.blob_id), "tenant": tenant, "state": "whole", "sha256": thing.ref.sha256,
        "size": thing.ref.size, "media_type": thing.ref.media_type, "content": content, "expires_at": until,
    }  # fmt: skip


def _batches(things: Sequence[Stored]) -> list[list[Stored]]:
    batches: list[list[Stored]] = []
    size = 0
    for thing in things:
        if not batches or size + len(thing.octets) > _BATCH_OCTETS:
            batches.append([])
            size = 0
        batches[-1].append(thing)
        size += len(thing.octets)
    return batches


async def _parts(octets: bytes) -> AsyncIterator[bytes]:
    view = memoryview(octets)
    for start in range(0, len(octets), 1 << 20):
        yield bytes(view[start : start + (1 << 20)])
