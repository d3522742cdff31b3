"""Large things by reference: raw MIME, attachments, long bodies, in a database all services share.

Written before the event that names it; born to live 24 hours by the database's clock, extended by the owner once its
document refers to it, swept when nobody did. One document up to 4 MB, GridFS above (two to three times the cost below).

    writing ──put ended──▶ whole ──expired, swept──▶ doomed ──chunks, then document──▶ gone
       └───────────────── expired, swept ─────────────▲

A doomed blob can't be extended any more: who comes late is told so, and keeps no document without its chunks. An
*adopted* blob has the chunks of another one, whose id was not yet known to be right when they were written: these live
as long as it does.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from bson import Binary

from contracts.blob import BlobRef
from contracts.limits import BLOB_LIFE
from services.kit import metrics
from services.kit.blob_store import BlobStore, Lost
from services.kit.ids import uuid7
from services.kit.mongo import Database, Document, key, translated
from services.kit.unavailable import Unavailable

__all__ = ["Blobs", "ensure"]

ONE_DOCUMENT: Final = 4 << 20
_EXPIRED: Final = {"$expr": {"$lt": ["$expires_at", "$$NOW"]}}
_SHAPE: Final = {"_id": 1, "chunks": 1, "content": {"$type": "$content"}}
_BORN: Final = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": BLOB_LIFE}}


async def ensure(database: Database) -> None:
    """What the sweeper needs; idempotent."""
    await database["blobs"].create_index("expires_at", name="expiry")
    adopted = {"chunks": {"$exists": True}}
    await database["blobs"].create_index("chunks", name="chunks", partialFilterExpression=adopted)
    await BlobStore(database).ensure()


class Blobs:
    """Blobs in MongoDB. Every call raises `Unavailable` when the database is gone."""

    def __init__(self, database: Database) -> None:
        self._documents = database["blobs"]
        self._store = BlobStore(database)

    async def put(
        self, tenant: str, data: bytes | AsyncIterator[bytes], media_type: str, *, inline: int = ONE_DOCUMENT
    ) -> BlobRef:
        """Store it for 24 hours and say where; what the iterator raises leaves nothing that could be read.

        ``inline``: up to so many octets are collected for one document; above, a chunk at a time is held.
        """
        blob_id = str(uuid7())
        chunks = _once(data) if isinstance(data, bytes) else data
        head = bytearray()
        async for chunk in chunks:
            head += chunk
            if len(head) > inline:
                return await self._put_long(tenant, blob_id, bytes(head), chunks, media_type)
        ref = BlobRef(blob_id=blob_id, sha256=hashlib.sha256(head).hexdigest(), size=len(head), media_type=media_type)
        await self._bear(tenant, ref, "whole", bytes(head))
        metrics.blob_bytes.labels("document").inc(len(head))
        return ref

    async def _put_long(
        self, tenant: str, blob_id: str, head: bytes, rest: AsyncIterator[bytes], media_type: str
    ) -> BlobRef:
        await self._bear(tenant, BlobRef(blob_id=blob_id, sha256="", size=0, media_type=media_type), "writing", None)
        async with translated():
            sha256, size = await self._store.write(key(tenant, blob_id), tenant, head, rest)
            mine = {"_id": key(tenant, blob_id), "tenant": tenant, "state": "writing"}
            ended = await self._documents.update_one(mine, {"$set": {"state": "whole", "sha256": sha256, "size": size}})
        if ended.matched_count != 1:
            raise Unavailable("the blob took longer to write than it lives")
        metrics.blob_bytes.labels("gridfs").inc(size)
        return BlobRef(blob_id=blob_id, sha256=sha256, size=size, media_type=media_type)

    async def _bear(self, tenant: str, ref: BlobRef, state: str, content: bytes | None) -> None:
        document: Document = {"state": state, "sha256": ref.sha256, "size": ref.size, "media_type": ref.media_type}
        document["content"] = None if content is None else Binary(content)
        fixed: Document = {name: {"$literal": value} for name, value in document.items()}
        mine = {"_id": key(tenant, ref.blob_id), "tenant": tenant}
        async with translated():
            # A pipeline, because only there $$NOW is to be had; the id is new, so a repeat writes the same again.
            await self._documents.update_one(mine, [{"$set": {**fixed, "expires_at": _BORN}}], upsert=True)

    async def adopt(self, tenant: str, held: BlobRef, ref: BlobRef, until: datetime) -> None:
        """Let the long blob ``held`` be ``ref`` for good, without moving an octet; where ``ref`` stands it stays.

        Raises `Lost` when ``held`` is gone or going.
        """
        chunks, whole_id = key(tenant, held.blob_id), key(tenant, ref.blob_id)
        document: Document = {
            "tenant": tenant, "state": "whole", "sha256": ref.sha256, "size": ref.size, "media_type": ref.media_type,
            "content": None, "expires_at": until, "chunks": chunks,
        }  # fmt: skip
        async with translated():
            standing = await self._documents.find_one({"_id": whole_id}, {"chunks": 1})
            if standing is None:
                if not await self.extend(tenant, held.blob_id, until):
                    raise Lost("a blob that was to be adopted is gone")
                standing = await self._documents.find_one_and_update(
                    {"_id": whole_id}, {"$setOnInsert": document}, {"chunks": 1}, upsert=True
                )
            if standing is None or standing.get("chunks") == chunks:
                await self._documents.delete_one({"_id": chunks})

    async def get(self, tenant: str, blob_id: str) -> bytes | None:
        """All of it, None when there is no such blob of this tenant."""
        chunks = await self.stream(tenant, blob_id)
        return None if chunks is None else b"".join([chunk async for chunk in chunks])

    async def fetch(self, tenant: str, ref: BlobRef) -> bytes:
        """What the reference names, its hash checked; raises `Unavailable` when it is gone or is something else."""
        content = await self.get(tenant, ref.blob_id)
        if content is None or hashlib.sha256(content).hexdigest() != ref.sha256:
            raise Unavailable("a blob is gone" if content is None else "a blob is not what its reference says")
        return content

    async def stream(self, tenant: str, blob_id: str) -> AsyncIterator[bytes] | None:
        """Chunk by chunk, at most 4 MB each; None when there is no such blob of this tenant."""
        mine = {"_id": key(tenant, blob_id), "tenant": tenant, "state": "whole"}
        async with translated():
            document = await self._documents.find_one(mine)
        if document is None:
            return None
        if document["content"] is not None:
            return _once(bytes(document["content"]))
        return self._store.read(str(document.get("chunks", document["_id"])))

    async def extend(self, tenant: str, blob_id: str, until: datetime) -> bool:
        """Let it live at least until then; False when it is not there any more."""
        mine = {"_id": key(tenant, blob_id), "tenant": tenant, "state": "whole"}
        async with translated():
            extended = await self._documents.update_one(mine, {"$max": {"expires_at": until}})
        return extended.matched_count == 1

    async def sweep(self, limit: int = 500) -> int:
        """Remove up to `limit` blobs of any tenant whose time is over; says how many. Any number may sweep at once."""
        swept = 0
        async with translated():  # the doomed are among them: nobody extends a doomed one's life
            async for document in self._documents.find(_EXPIRED, _SHAPE).limit(limit):
                own = None if document["content"] == "binData" else document.get("chunks", document["_id"])
                swept += await self._remove(document["_id"], own)
        return swept

    async def _remove(self, whole_id: str, chunks: str | None) -> bool:
        still = {"_id": whole_id, "$or": [{"state": "doomed"}, _EXPIRED]}  # it may have been extended meanwhile
        doomed = await self._documents.update_one(still, {"$set": {"state": "doomed"}})
        if doomed.matched_count != 1:
            return False
        if chunks is not None and not await self._adopted(whole_id, chunks):
            await self._store.remove(chunks)
        gone = await self._documents.delete_one({"_id": whole_id, "state": "doomed"})
        return gone.deleted_count == 1

    async def _adopted(self, whole_id: str, chunks: str) -> bool:
        """Whether another blob has these chunks."""
        others = {"chunks": chunks, "_id": {"$ne": whole_id}}
        return await self._documents.find_one(others, {"_id": 1}) is not None


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
