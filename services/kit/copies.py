"""A service's own copy of another's state: fed by a compacted topic, guarded by version, waited for when late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Generic, TypeVar

from pymongo.errors import DuplicateKeyError

from contracts.event import Event
from contracts.payload import Payload
from services.kit import logs
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated
from services.kit.unavailable import Unavailable

log = logs.get_logger()
P = TypeVar("P", bound=Payload)

FRESH_S = 1.0
PACE_S = 0.01
ENOUGH_S = 30.0
PATIENCE_S = 5.0
CACHED = 20_000


class Copies(Generic[P]):
    """The copies of one kind of event, one per key, in one collection; reads are cached for a second."""

    def __init__(self, collection: Collection, kind: type[P]) -> None:
        self._collection, self._kind = collection, kind
        self._cache: dict[str, tuple[float, P]] = {}
        self._absent: dict[str, float] = {}
        self._reading: dict[str, asyncio.Task[P | None]] = {}
        self._reads: Coalescer[str, Document | None] = Coalescer(self._find, limit=200, pace_s=PACE_S)

    async def put(self, event: Event[P]) -> bool:
        """Keeps the event's data if it is newer than the copy; False where it is older or the same."""
        doc_id, version = key(event.tenant, event.subject), event.data.version
        change = {"$set": {"tenant": event.tenant, "version": version, "fields": event.data.model_dump(mode="json")}}
        try:
            async with translated():
                await self._collection.update_one({"_id": doc_id, "version": {"$lt": version}}, change, upsert=True)
        except DuplicateKeyError:
            return False
        self._remember(doc_id, event.data)
        return True

    async def get(self, tenant: str, subject: str) -> P | None:
        """The copy, at most a second old, or that there is none; callers at the same time share one read.

        One that is half as old is read again while it is still good: where many ask, nobody waits every second.
        """
        doc_id, now = key(tenant, subject), time.monotonic()
        cached = self._cache.get(doc_id)
        if cached is not None and now - cached[0] < FRESH_S:
            if now - cached[0] > FRESH_S / 2:
                self._shared(doc_id)
            return cached[1]
        if now - self._absent.get(doc_id, -FRESH_S) < FRESH_S:
            return None
        return await asyncio.shield(self._shared(doc_id))

    async def at_least(self, tenant: str, subject: str, version: int) -> P:
        """The copy at this version or a newer one; raises Unavailable when it is not here in ``PATIENCE_S`` seconds.

        One that is new enough may be ``ENOUGH_S`` old: whoever names a version has seen no newer one then.
        """
        cached = self._cache.get(key(tenant, subject))
        if cached is not None and cached[1].version >= version and time.monotonic() - cached[0] < ENOUGH_S:
            return cached[1]
        found = await self.get(tenant, subject)
        until = time.monotonic() + PATIENCE_S
        while found is None or found.version < version:
            if time.monotonic() > until:
                raise Unavailable(f"the copy of {self._kind.__name__} at version {version} is not here yet")
            await asyncio.sleep(0.02)
            found = await self._read(key(tenant, subject))
        return found

    async def drop(self, tenant: str, subject: str) -> None:
        """Forgets the copy."""
        doc_id = key(tenant, subject)
        self._cache.pop(doc_id, None)
        async with translated():
            await self._collection.delete_one({"_id": doc_id})

    def _shared(self, doc_id: str) -> asyncio.Task[P | None]:
        reading = self._reading.get(doc_id)
        if reading is None:
            reading = self._reading[doc_id] = asyncio.create_task(self._read(doc_id))
            reading.add_done_callback(lambda done: self._read_was(doc_id, done))
        return reading

    def _read_was(self, doc_id: str, done: asyncio.Task[P | None]) -> None:
        """Whoever waits gets the error; where nobody does, the next one reads again."""
        self._reading.pop(doc_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.info("copy_not_read", kind=self._kind.__name__, error=type(error).__name__)

    async def _read(self, doc_id: str) -> P | None:
        document = await self._reads.submit(doc_id)
        if document is None:
            if len(self._absent) >= CACHED:
                self._absent.clear()
            self._absent[doc_id] = time.monotonic()
            return None
        data = self._kind.model_validate(document["fields"])
        self._remember(doc_id, data)
        return data

    async def _find(self, doc_ids: Sequence[str]) -> Sequence[Document | None]:
        async with translated():
            found = await self._collection.find({"_id": {"$in": [*doc_ids]}}).to_list(None)
        known = {document["_id"]: document for document in found}
        return [known.get(doc_id) for doc_id in doc_ids]

    def _remember(self, doc_id: str, data: P) -> None:
        self._absent.pop(doc_id, None)
        known = self._cache.pop(doc_id, None)
        if known is not None and known[1].version > data.version:
            data = known[1]
        self._cache[doc_id] = (time.monotonic(), data)
        if len(self._cache) > CACHED:
            del self._cache[next(iter(self._cache))]
