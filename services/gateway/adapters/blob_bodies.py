"""Long bodies as blobs, in the database all services share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from contracts import limits
from services.gateway.domain.message import Stored
from services.kit.blobs import Blobs


class _Now(Protocol):
    def now(self) -> datetime: ...


class BlobBodies:
    """See ``ports.Bodies``."""

    def __init__(self, blobs: Blobs, clock: _Now) -> None:
        self._blobs, self._clock = blobs, clock

    async def put(self, tenant: str, body: str, media_type: str) -> Stored:
        """See the port."""
        ref = await self._blobs.put(tenant, body.encode(), media_type)
        # Before the message stands: one that lost its repeat lies there for nothing, but no message loses its text.
        await self._blobs.extend(tenant, ref.blob_id, self._clock.now() + timedelta(seconds=limits.HORIZON))
        return Stored(ref.blob_id, ref.sha256, ref.size, ref.media_type)

    async def get(self, tenant: str, stored: Stored) -> str | None:
        """See the port."""
        content = await self._blobs.get(tenant, stored.blob_id)
        return None if content is None else content.decode()
