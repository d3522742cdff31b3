"""Operators in MongoDB, owned by the gateway; reads for sending are at most a second old."""

from __future__ import annotations

import time

from contracts.event import Event
from contracts.operator import OperatorChanged
from services.gateway.domain.page import Cut, Page
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe, owed_event
from services.kit.versioned import Held, Speak, VersionedDocuments

FRESH_S = 1.0
CACHED = 20_000


class MongoOperators:
    """See ``ports.Operators``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._speak = collection, speak
        self._documents = VersionedDocuments(collection, "gateway", speak)
        self._cache: dict[str, tuple[float, OperatorChanged]] = {}

    async def get(self, tenant: str, operator_id: str) -> OperatorChanged | None:
        """See the port."""
        doc_id = key(tenant, operator_id)
        cached = self._cache.get(doc_id)
        if cached is not None and time.monotonic() - cached[0] < FRESH_S:
            return cached[1]
        held = await self._documents.read(doc_id)
        return self._remember(doc_id, _operator(held)) if held else None

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

    def _remember(self, doc_id: str, operator: OperatorChanged) -> OperatorChanged:
        self._cache.pop(doc_id, None)
        self._cache[doc_id] = (time.monotonic(), operator)
        if len(self._cache) > CACHED:
            del self._cache[next(iter(self._cache))]
        return operator


def _operator(held: Held) -> OperatorChanged:
    return OperatorChanged.model_validate({**held.fields, "version": held.version})
