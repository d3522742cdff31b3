"""The outbound messages in MongoDB: one message a call, grouped here into unordered bulks of single compare-and-sets.

Grouping is nearly the whole speed of the outbox (FINDINGS, "The outbound hot path, measured"). Who won is read from
`modified_count` only when all did; otherwise each winner is known by the stamp its write left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any, Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from contracts.event import AnyEvent
from contracts.outbound import MessageQueued
from services.kit import mongo, unavailable
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, translated
from services.outbox.adapters import mongo_writes as writes
from services.outbox.adapters.mongo_documents import doc_id, to_message
from services.outbox.adapters.mongo_lists import MongoLists
from services.outbox.domain.document import Message
from services.outbox.ports import Birth, Change, Fenced, Gone, Inserted, Lost, Standing, Unanswered, Won

_PASSING: Final = frozenset({6, 7, 50, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
"""Codes of a server that is going, coming or busy: the write may be tried again."""
_BODIES: Final = 100
"""How many documents with their MIME (up to 64 KiB each) go over the wire at once."""
_PACE_S: Final = 0.03
"""Bulks of one kind begin at least so far apart: each has its price, however few writes are in it."""
_TIMES: Final = {"created_at": 1, "undo_until": 1, "due_at": 1}


class MongoMessages(MongoLists):
    """The MessageStore on one collection; its indexes are in `indexes`."""

    def __init__(self, collection: Collection) -> None:
        super().__init__(collection)
        self._loads: Coalescer[str, Document | None] = Coalescer(self._load, limit=_BODIES, pace_s=_PACE_S)
        self._births: Coalescer[Birth, Inserted | Standing | Exception] = Coalescer(
            self._insert, limit=_BODIES, pace_s=_PACE_S
        )
        self._writes: Coalescer[Change, bool | Exception] = Coalescer(self._write, pace_s=_PACE_S)
        self._commits: Coalescer[tuple[Change, float], Won | Lost | Unanswered] = Coalescer(
            self._commit, pace_s=_PACE_S
        )

    async def load(self, tenant: str, message_id: str) -> Message | None:
        """See MessageStore."""
        found = await self._loads.submit(mongo.key(tenant, message_id))
        return None if found is None else to_message(found)

    async def insert(self, birth: Birth) -> Inserted | Standing:
        """See MessageStore."""
        found: Inserted | Standing | Exception = await self._births.submit(birth)
        if isinstance(found, Exception):
            raise found
        return found

    async def write(self, change: Change) -> bool:
        """See MessageStore."""
        written: bool | Exception = await self._writes.submit(change)
        if isinstance(written, Exception):
            raise written
        return written

    async def commit(self, change: Change, hold_seconds: float) -> Won | Lost | Unanswered:
        """See MessageStore."""
        return await self._commits.submit((change, hold_seconds))

    async def fence(self, before: Message, by: str) -> Fenced | Won | Gone:
        """See MessageStore."""
        wanted, update = writes.fence(before)
        async with translated():
            if await self._collection.find_one_and_update(wanted, update, {"_id": 1}) is not None:
                return Fenced()
        found = await self.load(before.tenant, before.message_id)
        ours = found is not None and found.transmission is not None and found.transmission.by == by
        return Won(found) if ours and found is not None else Gone()

    async def _load(self, ids: list[str]) -> Sequence[Document | None]:
        found = {document["_id"]: document for document in await self._read(ids)}
        return [found.get(each) for each in ids]

    async def _insert(self, births: list[Birth]) -> Sequence[Inserted | Standing | Exception]:
        ids = [doc_id(birth.message) for birth in births]
        created, failed, _ = await self._bulk([writes.insertion(birth) for birth in births])
        times = {each["_id"]: each for each in await self._read([ids[at] for at in created], _TIMES)}
        standing = [at for at in range(len(births)) if at not in created]
        found = dict(zip(standing, await self._load([ids[at] for at in standing]), strict=True))
        return [
            _inserted(birth, times.get(ids[at])) if at in created else _standing(found[at], failed.get(at))
            for at, birth in enumerate(births)
        ]

    async def _write(self, changes: list[Change]) -> Sequence[bool | Exception]:
        stamps = [token_hex(8) for _ in changes]
        _, failed, modified = await self._bulk(
            [writes.plain_write(*each) for each in zip(changes, stamps, strict=True)]
        )
        if modified == len(changes):
            return [True] * len(changes)
        found = await self._by_id(changes, {"stamps": 1})
        return [
            stamp in found.get(doc_id(change.before), {}).get("stamps", ()) or (at in failed and _refused(failed[at]))
            for at, (change, stamp) in enumerate(zip(changes, stamps, strict=True))
        ]

    async def _commit(self, commits: list[tuple[Change, float]]) -> Sequence[Won | Lost | Unanswered]:
        changes = [change for change, _ in commits]
        try:
            _, failed, modified = await self._bulk([writes.commit(*each) for each in commits])
            if modified == len(commits):
                return [Won(change.after) for change in changes]
            found = await self._by_id(changes, {"transmission.by": 1, "attempt": 1})
        except unavailable.Unavailable:
            return [Unanswered()] * len(commits)
        return [
            Won(change.after) if _carries(found.get(doc_id(change.before)), change) else _lost(failed.get(at))
            for at, change in enumerate(changes)
        ]

    async def _bulk(self, operations: list[UpdateOne]) -> tuple[Mapping[int, Any], Mapping[int, Document], int]:
        """By position: what was upserted, what failed; and how many were modified. Raises Unavailable, Unanswered."""
        try:
            async with translated():
                done = await self._collection.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            return _partly(error.details or {})
        return done.upserted_ids or {}, {}, done.modified_count

    async def _by_id(self, changes: list[Change], fields: Document) -> Mapping[str, Document]:
        return {each["_id"]: each for each in await self._read([doc_id(change.before) for change in changes], fields)}

    async def _read(self, ids: list[str], fields: Document | None = None) -> Sequence[Document]:
        if not ids:
            return []
        async with translated():
            return await self._collection.find({"_id": {"$in": ids}}, fields).to_list(None)


def _partly(details: Mapping[str, Any]) -> tuple[Mapping[int, Any], Mapping[int, Document], int]:
    if details.get("writeConcernErrors"):
        raise unavailable.Unanswered("MongoDB could not tell that a majority has the write")
    created = {each["index"]: each["_id"] for each in details.get("upserted", ())}
    return created, {each["index"]: each for each in details.get("writeErrors", ())}, details.get("nModified", 0)


def _refused(error: Document) -> Exception:
    """What the server refused one write with (its message may hold addresses: the code alone)."""
    text = f"MongoDB refused a write: code {error.get('code')}"
    return unavailable.Unanswered(text) if error.get("code") in _PASSING else RuntimeError(text)


def _lost(error: Document | None) -> Lost | Unanswered:
    return Lost() if error is None else Unanswered()


def _carries(found: Document | None, change: Change) -> bool:
    ours, theirs = change.after.transmission, (found or {}).get("transmission")
    stamped = ours is not None and theirs is not None and theirs["by"] == ours.by
    return stamped and found is not None and found["attempt"] == change.after.attempt


def _standing(found: Document | None, error: Document | None) -> Standing | Exception:
    if found is not None:
        return Standing(to_message(found))
    return _refused(error) if error else unavailable.Unanswered("a document that stood there is gone")


def _inserted(birth: Birth, times: Document | None) -> Inserted | Exception:
    if times is None:
        return unavailable.Unanswered("a document that was created is gone")
    known = {name: times[name] for name in _TIMES if name in times}
    return Inserted(replace(birth.message, **known), tuple(_queued_at(event, known) for event in birth.owed))


def _queued_at(event: AnyEvent, times: Document) -> AnyEvent:
    if not isinstance(event.data, MessageQueued) or "due_at" not in times:
        return event
    spoken: Document = {name: times[name] for name in ("undo_until", "due_at") if name in times}
    return replace(event, time=times["created_at"], data=event.data.model_copy(update=spoken))
