"""Large bodies as blobs; ``kit.blobs`` checks the hash on the way out."""

from __future__ import annotations

from contracts.blob import BlobRef
from services.kit.blobs import Blobs


class BlobBodies:
    """See ``ports.Bodies``."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def fetch(self, tenant: str, ref: BlobRef) -> str:
        """See the port."""
        return (await self._blobs.get(tenant, ref)).decode(errors="replace")

    async def store(self, tenant: str, body: str, media_type: str) -> BlobRef:
        """See the port."""
        return await self._blobs.put(tenant, body.encode(), media_type)
