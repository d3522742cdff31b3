"""Operators in MongoDB, owned by the gateway; reads for sending are at most a second old."""

from __future__ import annotations

import asyncio
import time

from contracts.event import Event
from contracts.operator import OperatorChanged
from services.gateway.domain.page import Cut, Page
from services.kit import logs
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe, owed_event
from services.kit.versioned import Held, Speak, VersionedDocuments

log = logs.get_logger()
FRESH_S = 1.0
CACHED = 20_000


class MongoOperators:
    """See ``ports.Operators``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._speak = collection, speak
        self._documents = VersionedDocuments(collection, "gateway", speak)
        self._cache: dict[str, tuple[float, OperatorChanged]] = {}
        self._reading: dict[str, asyncio.Task[OperatorChanged | None]] = {}

    async def get(self, tenant: str, operator_id: str) -> OperatorChanged | None:
        """See the port; callers at the same time share one read, and half a second before it is needed it begins."""
        doc_id = key(tenant, operator_id)
        cached = self._cache.get(doc_id)
        age = time.monotonic() - cached[0] if cached is not None else FRESH_S
        if cached is not None and age < FRESH_S / 2:
            return cached[1]
        reading = self._reading.get(doc_id)
        if reading is None:
            reading = self._reading[doc_id] = asyncio.create_task(self._read(doc_id))
            reading.add_done_callback(lambda done: self._read_was(doc_id, done))
        return cached[1] if cached is not None and age < FRESH_S else await asyncio.shield(reading)

    async def list(self, tenant: str, cut: Cut) -> Page[OperatorChanged]:
        """See the port."""
        query: Document = {"tenant": tenant}
        if cut.after:
            query["_id"] = {"$gt": key(tenant, cut.after[0])}
        async with translated():
            found = await self._collection.find(query).sort("_id", 1).limit(cut.limit + 1).to_list(None)
        items = tuple(_operator(self._documents.held(document)) for document in found[: cut.limit])
        return Page(items, (items[-1].operator_id,) if len(found) > cut.limit else None)

    async def put(self, event: Event[OperatorChanged]) -> bool:
        """See the port."""
        doc_id, state = key(event.tenant, event.data.operator_id), event.data
        self._cache.pop(doc_id, None)
        fields = state.model_dump(mode="json", exclude={"version"})
        if not await self._documents.write(doc_id, state.version, fields, (event,), tenant=event.tenant):
            return False
        self._remember(doc_id, state)
        return True

    async def owe_again(self, event: Event[OperatorChanged]) -> None:
        """See the port."""
        guard = {"_id": key(event.tenant, event.data.operator_id), "version": event.data.version}
        async with translated():
            document = await self._collection.find_one_and_update(
                guard, {"$push": {"owed_events": owe(event)}}, return_document=True
            )
        if document is not None:
            self._speak(document["_id"], [owed_event(event.tenant, one, "gateway") for one in document["owed_events"]])

    async def _read(self, doc_id: str) -> OperatorChanged | None:
        held = await self._documents.read(doc_id)
        return self._remember(doc_id, _operator(held)) if held else None

    def _read_was(self, doc_id: str, done: asyncio.Task[OperatorChanged | None]) -> None:
        """Whoever waits gets the error; where nobody does, the next one reads again."""
        self._reading.pop(doc_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.info("operator_not_read", error=type(error).__name__)

    def _remember(self, doc_id: str, operator: OperatorChanged) -> OperatorChanged:
        known = self._cache.pop(doc_id, None)
        if known is not None and known[1].version > operator.version:
            operator = known[1]
        self._cache[doc_id] = (time.monotonic(), operator)
        if len(self._cache) > CACHED:
            del self._cache[next(iter(self._cache))]
        return operator


def _operator(held: Held) -> OperatorChanged:
    return OperatorChanged.model_validate({**held.fields, "version": held.version})
