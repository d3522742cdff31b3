"""Large bodies as blobs, their hash checked on the way out."""

from __future__ import annotations

import hashlib

from contracts.blob import BlobRef
from services.kit.blobs import Blobs


class BlobBodies:
    """See ``ports.Bodies``."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def fetch(self, tenant: str, ref: BlobRef) -> str | None:
        """See the port."""
        content = await self._blobs.get(tenant, ref.blob_id)
        if content is None or hashlib.sha256(content).hexdigest() != ref.sha256:
            return None
        return content.decode(errors="replace")

    async def store(self, tenant: str, body: str, media_type: str) -> BlobRef:
        """See the port."""
        return await self._blobs.put(tenant, body.encode(), media_type)
