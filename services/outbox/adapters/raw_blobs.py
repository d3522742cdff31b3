"""Rendered MIME above 64 KiB, in the shared blobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from contracts.blob import BlobRef
from services.kit.blobs import Blobs
from services.kit.clock import Clock
from services.kit.unavailable import Unavailable

_MEDIA_TYPE: Final = "message/rfc822"


@dataclass(frozen=True, slots=True)
class KeptRaw:
    """The RawBlobs port."""

    blobs: Blobs
    clock: Clock

    async def keep(self, tenant: str, octets: bytes, days: int) -> BlobRef:
        """See RawBlobs."""
        ref = await self.blobs.put(tenant, octets, _MEDIA_TYPE)
        if not await self.blobs.extend(tenant, ref.blob_id, self.clock.now() + timedelta(days=days)):
            raise Unavailable("a blob went before it could be kept")
        return ref

    async def read(self, tenant: str, blob_id: str) -> bytes:
        """See RawBlobs."""
        octets = await self.blobs.get(tenant, blob_id)
        if octets is None:
            raise Unavailable("the blob of a rendered message is not there")
        return octets
