"""How much a tenant has on the way: counted at most once a second and tenant, and carried forward in between."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from services.gateway.adapters.indexes import OPEN
from services.kit import logs
from services.kit.mongo import Collection, translated

log = logs.get_logger()
FRESH_S = 1.0
KNOWN = 10_000


@dataclass(slots=True)
class _Count:
    open: int = 0
    accepted: int = 0
    at: float = float("-inf")
    counting: asyncio.Task[None] | None = None


class MongoBacklog:
    """See ``ports.Backlog``; several replicas together may pass the limit by what they accept in two seconds.

    A count that is a second old is taken anew while it is still used: where many send, nobody waits every second.
    """

    def __init__(self, collection: Collection, most: int) -> None:
        self._collection, self._most = collection, most
        self._counts: dict[str, _Count] = {}

    async def full(self, tenant: str) -> bool:
        """See the port; each no counts one more as on its way."""
        count = self._counts.setdefault(tenant, _Count())
        age = time.monotonic() - count.at
        if age >= FRESH_S:
            counting = self._counting(tenant, count)
            if age >= 2 * FRESH_S or count.open >= self._most:  # nobody is refused for what an old count says
                await asyncio.shield(counting)
        if count.open >= self._most:
            return True
        count.open, count.accepted = count.open + 1, count.accepted + 1
        return False

    def _counting(self, tenant: str, count: _Count) -> asyncio.Task[None]:
        if count.counting is None or count.counting.done():
            count.counting = asyncio.create_task(self._count(tenant, count))
            count.counting.add_done_callback(_noted)
        return count.counting

    async def _count(self, tenant: str, count: _Count) -> None:
        """What was accepted meanwhile may be in it or not: it is added, rather than forgotten."""
        query, before = {"tenant": tenant, "open": True}, count.accepted
        async with translated():
            found = await self._collection.count_documents(query, limit=self._most + 1, hint=OPEN)
        count.open, count.at = found + count.accepted - before, time.monotonic()
        if len(self._counts) > KNOWN:
            del self._counts[next(iter(self._counts))]


def _noted(done: asyncio.Task[None]) -> None:
    """Whoever waits gets the error; where nobody does, the next one counts again."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.info("backlog_not_counted", error=type(error).__name__)
