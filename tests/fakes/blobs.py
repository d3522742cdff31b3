"""Blobs in memory, with the same behaviour as `services.kit.blobs` (tests/ports/test_blobs.py holds both to it)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.blob import BlobRef
from contracts.limits import BLOB_LIFE
from services.kit.blob_store import Lost
from services.kit.clock import Clock
from services.kit.ids import uuid7
from services.kit.unavailable import Unavailable
from tests.fakes.clock import FakeClock


@dataclass(slots=True)
class _Kept:
    content: bytes
    expires_at: datetime


class FakeBlobs:
    """Lives by the clock given; `gone` makes the database unreachable."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or FakeClock()
        self.kept: dict[tuple[str, str], _Kept] = {}
        self.gone = False

    async def put(
        self, tenant: str, data: bytes | AsyncIterator[bytes], media_type: str, *, inline: int = 0
    ) -> BlobRef:  # fmt: skip
        """See Blobs.put."""
        self._reach()
        content = data if isinstance(data, bytes) else b"".join([chunk async for chunk in data])
        blob_id, sha256 = str(uuid7()), hashlib.sha256(content).hexdigest()
        self.kept[tenant, blob_id] = _Kept(content, self.clock.now() + timedelta(seconds=BLOB_LIFE))
        return BlobRef(blob_id=blob_id, sha256=sha256, size=len(content), media_type=media_type)

    async def adopt(self, tenant: str, held: BlobRef, ref: BlobRef, until: datetime) -> None:
        """See Blobs.adopt."""
        self._reach()
        kept = self.kept.pop((tenant, held.blob_id), None)
        if (tenant, ref.blob_id) in self.kept:
            return
        if kept is None:
            raise Lost("gone")
        self.kept[tenant, ref.blob_id] = _Kept(kept.content, until)

    async def get(self, tenant: str, blob_id: str) -> bytes | None:
        """See Blobs.get."""
        self._reach()
        kept = self.kept.get((tenant, blob_id))
        return kept.content if kept else None

    async def fetch(self, tenant: str, ref: BlobRef) -> bytes:
        """See Blobs.fetch."""
        content = await self.get(tenant, ref.blob_id)
        if content is None or hashlib.sha256(content).hexdigest() != ref.sha256:
            raise Unavailable("a blob is gone or is not what its reference says")
        return content

    async def stream(self, tenant: str, blob_id: str) -> AsyncIterator[bytes] | None:
        """See Blobs.stream."""
        content = await self.get(tenant, blob_id)
        return None if content is None else _chunks(content)

    async def extend(self, tenant: str, blob_id: str, until: datetime) -> bool:
        """See Blobs.extend."""
        self._reach()
        kept = self.kept.get((tenant, blob_id))
        if kept is None:
            return False
        kept.expires_at = max(kept.expires_at, until)
        return True

    async def sweep(self, limit: int = 500) -> int:
        """See Blobs.sweep."""
        self._reach()
        over = [name for name, kept in self.kept.items() if kept.expires_at < self.clock.now()][:limit]
        for name in over:
            del self.kept[name]
        return len(over)

    def _reach(self) -> None:
        if self.gone:
            raise Unavailable("told to be")


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, max(1, len(content)), 1 << 20):
        yield content[start : start + (1 << 20)]
