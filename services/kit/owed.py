"""Owed events: what a document's write promised to publish, kept in the document until Kafka has acknowledged it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.event import AnyEvent, Event, Trace
from contracts.topics import EVENTS
from services.kit import mongo
from services.kit.coalesce import Coalescer
from services.kit.mongo import Document, translated


@dataclass(frozen=True, slots=True)
class Owing:
    """A document and the events it owes, in order."""

    doc_id: str
    events: tuple[AnyEvent, ...]


class OwedStore(Protocol):
    """Where documents with owed events are."""

    async def owing(self, limit: int) -> Sequence[Owing]:
        """Documents that have owed something for a moment, at most ``limit``; what is on its way is left out."""
        ...

    async def paid(self, doc_id: str, ids: Sequence[str]) -> None:
        """Removes exactly these events from what the document owes; its version stays."""
        ...


def owe(event: AnyEvent) -> Document:
    """The form in which a document keeps an event: the data as the JSON text it will be published with.

    ``times``: fields of the data that the store sets in the same write (``$$NOW``); absent where there are none.
    """
    trace = [event.trace.traceparent, event.trace.correlation_id]
    return {
        "id": event.id, "type": event.type, "version": event.data.version, "n": event.sequence % 100, "at": event.time,
        "data": event.data.model_dump_json(), "trace": trace,
    }  # fmt: skip


def owed_event(tenant: str, owed: Mapping[str, Any], source: str) -> AnyEvent:
    """The event that a document owes."""
    data = EVENTS[owed["type"]].model_validate_json(owed["data"])
    if "times" in owed:
        data = data.model_copy(update=owed["times"])
    sequence = owed["version"] * 100 + owed.get("n", 0)
    return Event(tenant, data, owed["at"], owed["id"], f"/malote/{source}", sequence, Trace(*owed.get("trace", ())))


def unspoken(spoken: Collection[str]) -> Document:
    """The owed events, as an expression of a pipeline: without these, which Kafka has acknowledged."""
    owed: Document = {"$ifNull": ["$owed_events", []]}
    if not spoken:
        return owed
    return {"$filter": {"input": owed, "cond": {"$not": {"$in": ["$$this.id", {"$literal": list(spoken)}]}}}}


class MongoOwed:
    """The OwedStore of one collection; it needs a partial index on ``owed_events.0`` (see ``index``).

    ``settle_ms`` leaves out what was written just now: its writer is about to publish it from memory.
    """

    def __init__(self, collection: mongo.Collection, source: str, *, settle_ms: int = 4000) -> None:
        self._collection, self._source, self._settle_ms = collection, source, settle_ms
        self._pulls: Coalescer[tuple[str, Sequence[str]], None] = Coalescer(self._pull)

    async def owing(self, limit: int) -> Sequence[Owing]:
        """By the database's clock, whatever the writer's says.

        The hint is needed: the query has no condition on the index's key, so the planner would read the collection.
        """
        old = {"$lt": [{"$first": "$owed_events.at"}, {"$subtract": ["$$NOW", self._settle_ms]}]}
        query = {"owed_events.0": {"$exists": True}, "$expr": old}
        async with translated():
            found = await self._collection.find(query, {"owed_events": 1}).hint("owed").limit(limit).to_list(None)
        return [self._owing(document) for document in found]

    async def paid(self, doc_id: str, ids: Sequence[str]) -> None:
        """Grouped with the others that were paid meanwhile."""
        await self._pulls.submit((doc_id, ids))

    def _owing(self, document: Document) -> Owing:
        tenant = document["_id"].partition("/")[0]
        return Owing(document["_id"], tuple(owed_event(tenant, owed, self._source) for owed in document["owed_events"]))

    async def _pull(self, group: list[tuple[str, Sequence[str]]]) -> Sequence[None]:
        """One write for all: an event's id stands in one document only."""
        ids = [each for _, some in group for each in some]
        async with translated():
            await self._collection.update_many(
                {"_id": {"$in": [doc_id for doc_id, _ in group]}}, {"$pull": {"owed_events": {"id": {"$in": ids}}}}
            )
        return [None] * len(group)


async def index(collection: mongo.Collection) -> None:
    """The partial index that ``owing`` reads."""
    owes = {"owed_events.0": {"$exists": True}}
    await collection.create_index("owed_events.0.at", name="owed", partialFilterExpression=owes)
