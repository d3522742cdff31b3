"""The projection of messages, grouped: per message and bulk one upsert-free write, guarded by the outbox's version.

At most 100 a bulk: larger ones keep the loop from answering requests (FINDINGS, "The outbound hot path, measured").
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from pymongo import UpdateMany

from contracts.event import AnyEvent
from services.gateway.adapters.mongo_forms import progress_form
from services.gateway.domain.message import TERMINAL, Progress
from services.kit import mongo
from services.kit.coalesce import Coalescer
from services.kit.mongo import Document
from services.kit.owed import unspoken

MOST = 100


class Relaying(Protocol):
    """What is asked of the messages' relay."""

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """See kit's Relay."""
        ...

    def spoken(self, doc_id: str) -> Collection[str]:
        """See kit's Relay."""
        ...


class Advances:
    """Keeps the highest version; a message that is none of ours is left alone.

    The same write takes off what the message's document has spoken meanwhile: mostly its SendRequested.
    """

    def __init__(self, collection: mongo.Collection, relay: Relaying) -> None:
        self._collection, self._relay = collection, relay
        self._group: Coalescer[tuple[str, Progress], None] = Coalescer(self._flush, limit=MOST)

    async def submit(self, doc_id: str, progress: Progress) -> None:
        """Returns when it is kept, or was older than what is kept."""
        await self._group.submit((doc_id, progress))

    async def _flush(self, group: list[tuple[str, Progress]]) -> Sequence[None]:
        said: dict[str, list[Progress]] = {}
        for doc_id, progress in group:
            said.setdefault(doc_id, []).append(progress)
        spoken = {doc_id: self._relay.spoken(doc_id) for doc_id in said}
        writes = [_write(doc_id, sorted(each, key=_version), spoken[doc_id]) for doc_id, each in said.items()]
        await mongo.write_each(self._collection, writes)
        for doc_id, ids in spoken.items():
            self._relay.hand_over(doc_id, (), ids)
        return [None] * len(group)


def _version(progress: Progress) -> int:
    return progress.outbox_version


def _write(doc_id: str, said: Sequence[Progress], spoken: Collection[str]) -> UpdateMany:
    """One write for what was said in a row: each fact adds its fields, the newest has the last word.

    The guard is in the pipeline: a filter by ``_id`` alone needs no query plan (docs/decisions/0013). It is written as
    a write of many, though there is one: the driver then asks for no repeatable write, which costs the server a third.
    """
    fields: Document = {}
    for progress in said:
        fields |= progress_form(progress)
    newest = said[-1]
    newer = {"$lt": [{"$ifNull": ["$progress.outbox_version", newest.outbox_version]}, newest.outbox_version]}
    progressed = {"$mergeObjects": ["$progress", {"$literal": fields}]}
    steps: list[Document] = [{"$set": {"progress": {"$cond": [newer, progressed, "$progress"]}}}]
    if newest.status in TERMINAL:
        ended = {"$cond": [newer, "$$REMOVE", "$open"]}
        steps[0]["$set"]["open"] = ended
    if spoken:
        steps[0]["$set"]["owed_events"] = unspoken(spoken)
    return UpdateMany({"_id": doc_id}, steps)
