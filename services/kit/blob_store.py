"""The long blobs' chunks in GridFS, under the blob's own id."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Final

from gridfs.errors import NoFile
from motor.motor_asyncio import AsyncIOMotorGridFSBucket

from services.kit.mongo import Database, translated
from services.kit.unavailable import Unavailable

CHUNK: Final = 1 << 20


class BlobStore:
    """Writes, reads and removes chunks; knows nothing of who may."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bucket = AsyncIOMotorGridFSBucket(database, bucket_name="long", chunk_size_bytes=CHUNK)

    async def write(self, whole_id: str, tenant: str, head: bytes, rest: AsyncIterator[bytes]) -> tuple[str, int]:
        """Store the head and the rest under this id; returns SHA-256 (hex) and size in octets."""
        digest, size = hashlib.sha256(), 0
        target = self._bucket.open_upload_stream_with_id(whole_id, whole_id, metadata={"tenant": tenant})
        try:
            async for chunk in _chain(head, rest):
                await target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        except BaseException:
            await target.abort()
            raise
        await target.close()
        return digest.hexdigest(), size

    async def read(self, whole_id: str) -> AsyncIterator[bytes]:
        """Chunk by chunk; raises `Unavailable` when a chunk is missing."""
        async with translated():
            try:
                source = await self._bucket.open_download_stream(whole_id)
                while chunk := await source.readchunk():
                    yield chunk
            except NoFile as error:
                raise Unavailable("a blob's chunks are gone") from error

    async def remove(self, whole_id: str) -> None:
        """Remove what there is of it, also the chunks of a write that never ended."""
        await self._database["long.chunks"].delete_many({"files_id": whole_id})
        await self._database["long.files"].delete_one({"_id": whole_id})


async def _chain(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
