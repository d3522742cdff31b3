"""Images of signatures in the blobs all services share: looked at before they are believed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from contracts import limits
from services.kit.blobs import Blobs
from services.kit.clock import Clock
from services.kit.images import image_type
from services.signature.domain.signature import Image


class BlobImages:
    """See ``ports.Images``."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs, self._clock = blobs, clock

    async def find(self, tenant: str, blob_id: str) -> Image | None:
        """See the port."""
        chunks = await self._blobs.stream(tenant, blob_id)
        if chunks is None:
            return None
        octets = b""
        async for chunk in chunks:
            octets += chunk
            if len(octets) > limits.SIGNATURE_IMAGE:
                return None
        kind = image_type(octets)
        return Image(blob_id, sha256(octets).hexdigest(), len(octets), kind) if kind else None

    async def keep(self, tenant: str, blob_ids: Sequence[str]) -> bool:
        """See the port."""
        until = self._clock.now() + timedelta(seconds=limits.HORIZON)
        kept = [await self._blobs.extend(tenant, blob_id, until) for blob_id in blob_ids]
        return all(kept)
