"""Files behind documents: mails, uploads and signatures say which blobs a tenant may see, the blobs have the octets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from contracts import limits
from contracts.blob import BlobRef
from services.gateway.domain.files import File
from services.kit.mongo import Database, Document, key, translated

_BODIES: Final = (("raw", "message.eml"), ("text_ref", "message.txt"), ("html_ref", "message.html"))


class _Now(Protocol):
    def now(self) -> datetime: ...


class _Blobs(Protocol):
    async def put(self, tenant: str, data: bytes | AsyncIterator[bytes], media_type: str) -> BlobRef: ...

    async def stream(self, tenant: str, blob_id: str) -> AsyncIterator[bytes] | None: ...


class MongoFiles:
    """See ``ports.Files``."""

    def __init__(self, database: Database, blobs: _Blobs, clock: _Now) -> None:
        self._uploads, self._blobs, self._clock = database["uploads"], blobs, clock
        self._mails, self._signatures = (database["inbound"], database["quarantined"]), database["signatures"]

    async def open(self, tenant: str, blob_id: str) -> tuple[File, AsyncIterator[bytes]] | None:
        """See the port."""
        file = await self.find(tenant, blob_id)
        octets = await self._blobs.stream(tenant, blob_id) if file else None
        return (file, octets) if file is not None and octets is not None else None

    async def find(self, tenant: str, blob_id: str) -> File | None:
        """See the port."""
        for look in (self._upload, self._of_a_signature, self._of_a_mail):
            if (file := await look(tenant, blob_id)) is not None:
                return file
        return None

    async def keep(self, tenant: str, name: str, media_type: str, octets: AsyncIterator[bytes]) -> File:
        """See the port."""
        ref = await self._blobs.put(tenant, octets, media_type)
        until = self._clock.now() + timedelta(seconds=limits.BLOB_LIFE)
        fields = {"name": name, **ref.model_dump(), "tenant": tenant, "expires_at": until}
        async with translated():
            await self._uploads.insert_one({"_id": key(tenant, ref.blob_id), **fields})
        return File(ref.blob_id, name, ref.media_type, ref.size, ref.sha256)

    async def _upload(self, tenant: str, blob_id: str) -> File | None:
        async with translated():
            found = await self._uploads.find_one({"_id": key(tenant, blob_id)})
        return _file(found, found["name"]) if found else None

    async def _of_a_signature(self, tenant: str, blob_id: str) -> File | None:
        wanted = {"tenant": tenant, "fields.images.blob_id": blob_id}
        async with translated():
            found = await self._signatures.find_one(wanted, {"fields.images": 1})
        images = found["fields"]["images"] if found else ()
        return next((_file(one, "image") for one in images if one["blob_id"] == blob_id), None)

    async def _of_a_mail(self, tenant: str, blob_id: str) -> File | None:
        wanted = {"raw": 1, "text_ref": 1, "html_ref": 1, "attachments": 1}
        for collection in self._mails:
            async with translated():
                found = await collection.find_one({"tenant": tenant, "blobs": blob_id}, wanted)
            if found is not None:
                return _named(found, blob_id)
        return None


def _named(mail: Document, blob_id: str) -> File | None:
    """The file of this mail; a body has a name of ours."""
    for one in mail.get("attachments", ()):
        if one["blob"]["blob_id"] == blob_id:
            return _file(one["blob"], one["file_name"])
    for part, name in _BODIES:
        if (blob := mail.get(part)) and blob["blob_id"] == blob_id:
            return _file(blob, name)
    return None


def _file(blob: dict[str, Any], name: str) -> File:
    return File(blob["blob_id"], name, blob["media_type"], blob["size"], blob["sha256"])
