"""Documents changed by compare-and-set on their version, with the events they owe written in the same write.

Version 1 creates the document, version n replaces version n - 1; anything else is a miss and the caller reads and
decides again. After a write ``speak`` is handed all that the document owes, for publishing from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from contracts.event import AnyEvent
from services.kit.mongo import Collection, Document, translated
from services.kit.owed import owe, owed_event

Speak = Callable[[str, Sequence[AnyEvent]], None]
SCHEMA: Final = 1
"""A document with a newer one was written by a newer release and is left alone."""


@dataclass(frozen=True, slots=True)
class Held:
    """One document as it was read."""

    doc_id: str
    version: int
    fields: Mapping[str, Any]
    owed: tuple[AnyEvent, ...] = ()


def silent(doc_id: str, events: Sequence[AnyEvent]) -> None:
    """For documents that owe nothing, or whose events a sweep publishes."""


class VersionedDocuments:
    """One collection of such documents; ``source`` is the service that owes."""

    def __init__(self, collection: Collection, source: str, speak: Speak = silent) -> None:
        self._collection, self._source, self._speak = collection, source, speak

    async def read(self, doc_id: str) -> Held | None:
        """The document, or None."""
        async with translated():
            document = await self._collection.find_one({"_id": doc_id})
        return self.held(document) if document is not None else None

    def held(self, document: Document) -> Held:
        """A document found by another query of the same collection."""
        tenant = document["_id"].partition("/")[0]
        owed = tuple(owed_event(tenant, one, self._source) for one in document.get("owed_events", ()))
        return Held(document["_id"], document["version"], document["fields"], owed)

    async def write(
        self, doc_id: str, version: int, fields: Mapping[str, Any], events: Sequence[AnyEvent] = (),
        **beside: object,
    ) -> bool:  # fmt: skip
        """Writes this version; False on a miss. ``beside``: fields outside ``fields`` that an index reads.

        Raises Unanswered when the write may or may not have been applied: the caller's event is taken again, and finds
        its own request id.
        """
        written = {"version": version, "schema": SCHEMA, "fields": dict(fields), **beside}
        owed = [owe(event) for event in events]
        async with translated():
            document = await (self._create if version == 1 else self._replace)(doc_id, written, owed)
        if document is None:
            return False
        if spoken := self.held(document).owed:
            self._speak(doc_id, spoken)
        return True

    async def _create(self, doc_id: str, written: Document, owed: list[Document]) -> Document | None:
        document = {"_id": doc_id, **written, "owed_events": owed}
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError:
            return None
        return document

    async def _replace(self, doc_id: str, written: Document, owed: list[Document]) -> Document | None:
        guard = {"_id": doc_id, "version": written["version"] - 1, "schema": {"$lte": SCHEMA}}
        change = {"$set": written, "$push": {"owed_events": {"$each": owed}}}
        return await self._collection.find_one_and_update(guard, change, return_document=True)
