"""The long blobs' chunks, in GridFS's form (files and chunks collections), under the blob's own id.

Written and read a chunk at a time, the next one under way: the driver's own writer keeps up to 48 MB before it sends
anything, its reader fetches batches of 16 MB.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from bson import Binary, ObjectId

from services.kit.mongo import Database, Document, quick, translated
from services.kit.unavailable import Unavailable

CHUNK: Final = 256 << 10
"""Each copy that is made on the way costs so much memory, for each blob in hand."""


class Lost(Unavailable):
    """Octets that were stored are gone: they will not come back by asking again."""


class BlobStore:
    """Writes, reads and removes chunks; knows nothing of who may."""

    def __init__(self, database: Database) -> None:
        self._files, self._chunks = database["long.files"], database["long.chunks"]
        self._unsure = quick(self._chunks)  # the file, written last with majority, makes sure of those before it

    async def ensure(self) -> None:
        """The indexes that GridFS asks for; safe to repeat."""
        await self._chunks.create_index([("files_id", 1), ("n", 1)], unique=True)
        await self._files.create_index([("filename", 1), ("uploadDate", 1)])

    async def write(self, whole_id: str, tenant: str, head: bytes, rest: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store the head and the rest under this id; returns SHA-256 (hex) and size in octets.

        Raises what the iterator raises, and `Unavailable` where chunks did not survive a change of the primary.
        """
        digest, size, n = hashlib.sha256(), 0, 0
        writing: asyncio.Future[Any] | None = None
        try:
            async for chunk in _chunks(head, rest):
                digest.update(chunk)
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(self._unsure.insert_one(_document(whole_id, n, chunk)))
                size, n = size + len(chunk), n + 1
            if writing is not None:
                await writing
        except BaseException:
            if writing is not None:
                await asyncio.gather(writing, return_exceptions=True)
            await self.remove(whole_id)
            raise
        await self._files.insert_one(
            {
                "_id": whole_id, "filename": whole_id, "metadata": {"tenant": tenant}, "chunkSize": CHUNK,
                "length": size, "uploadDate": datetime.now(UTC),
            }
        )  # fmt: skip
        if await self._chunks.count_documents({"files_id": whole_id}) != n:
            await self.remove(whole_id)
            raise Unavailable("chunks were lost with the primary they were written to")
        return digest.hexdigest(), size

    async def read(self, whole_id: str) -> AsyncIterator[bytes]:
        """Chunk by chunk; raises `Lost` when a chunk is missing."""
        async with translated():
            file = await self._files.find_one({"_id": whole_id}, {"length": 1, "chunkSize": 1})
        if file is None:
            raise Lost("a blob's chunks are gone")
        last = -(-file["length"] // file["chunkSize"]) - 1
        coming = self._fetch(whole_id, 0) if last >= 0 else None
        try:
            for n in range(last + 1):
                assert coming is not None
                async with translated():
                    found = await coming
                if found is None:
                    raise Lost("a blob's chunks are gone")
                coming = self._fetch(whole_id, n + 1) if n < last else None
                yield bytes(found["data"])
        finally:
            if coming is not None:
                coming.cancel()

    def _fetch(self, whole_id: str, n: int) -> asyncio.Future[Document | None]:
        return asyncio.ensure_future(self._chunks.find_one({"files_id": whole_id, "n": n}, {"data": 1}))

    async def remove(self, whole_id: str) -> None:
        """Remove what there is of it, also the chunks of a write that never ended."""
        await self._chunks.delete_many({"files_id": whole_id})
        await self._files.delete_one({"_id": whole_id})


def _document(whole_id: str, n: int, chunk: bytes) -> Document:
    return {"_id": ObjectId(), "files_id": whole_id, "n": n, "data": Binary(chunk)}


async def _chunks(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The octets in pieces of one chunk, the last one shorter."""
    held = bytearray(head)
    while True:
        while len(held) >= CHUNK:
            piece = bytes(memoryview(held)[:CHUNK])
            del held[:CHUNK]
            yield piece
        try:
            held += await anext(rest)
        except StopAsyncIteration:
            break
    if held:
        yield bytes(held)
