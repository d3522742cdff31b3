"""How much a tenant has on the way: counted at most once a second and tenant, and carried forward in between."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from services.gateway.adapters.indexes import OPEN
from services.kit.mongo import Collection, translated

FRESH_S = 1.0
KNOWN = 10_000


@dataclass(slots=True)
class _Count:
    open: int = 0
    at: float = float("-inf")
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)


class MongoBacklog:
    """See ``ports.Backlog``; several replicas together may pass the limit by what they accept in a second."""

    def __init__(self, collection: Collection, most: int) -> None:
        self._collection, self._most = collection, most
        self._counts: dict[str, _Count] = {}

    async def full(self, tenant: str) -> bool:
        """See the port; each no counts one more as on its way."""
        count = self._counts.setdefault(tenant, _Count())
        if time.monotonic() - count.at >= FRESH_S:
            async with count.counting:
                if time.monotonic() - count.at >= FRESH_S:
                    await self._count(tenant, count)
        if count.open >= self._most:
            return True
        count.open += 1
        return False

    async def _count(self, tenant: str, count: _Count) -> None:
        query = {"tenant": tenant, "open": True}
        async with translated():
            found = await self._collection.count_documents(query, limit=self._most + 1, hint=OPEN)
        count.open, count.at = found, time.monotonic()
        if len(self._counts) > KNOWN:
            del self._counts[next(iter(self._counts))]
