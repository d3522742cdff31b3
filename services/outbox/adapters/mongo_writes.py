"""The writes of outbound messages as MongoDB operations; pure, one message each. The shapes are DESIGN §3's.

Each is one compare-and-set: state, ``version + 1`` and the owed events together.
"""

from __future__ import annotations

from typing import Any, Final

from pymongo import UpdateOne

from contracts.outbound import MessageQueued
from services.kit.mongo import Document
from services.kit.owed import owe, unspoken
from services.outbox.adapters.mongo_documents import WAITING, difference, doc_id, to_document
from services.outbox.domain.document import SCHEMA, TO_TRY, Message
from services.outbox.ports import Birth, Change

KNOWN: Final = {"$lte": SCHEMA}
"""A schema this code may write and list."""
LAPSED: Final = {"transmission.until": {"$exists": True}, "$expr": {"$lt": ["$transmission.until", "$$NOW"]}}
"""An open transmission that is over; what is missing would be earlier than any time, so it must be there."""
TRIED: Final = {"$in": sorted(state.value for state in TO_TRY)}
"""A recipient an attempt would go to."""
_STAMPS: Final = 6
_UNKNOWN: Final = SCHEMA + 1
"""What a document without a schema counts as."""
_STATES: Final = {"$ifNull": ["$recipients.state", []]}
_SOMEBODY_TO_TRY: Final = {"$ne": [{"$setIntersection": [_STATES, TRIED["$in"]]}, []]}


def insertion(birth: Birth) -> UpdateOne:
    """A pipeline upsert (only a pipeline knows ``$$NOW``) that leaves a document that stands there as it is."""
    born: Document = {"$mergeObjects": [{"_id": "$_id"}, {"$literal": to_document(birth.message)}, _times(birth)]}
    absent = {"$eq": [{"$type": "$version"}, "missing"]}
    return UpdateOne(
        {"_id": doc_id(birth.message)}, [{"$replaceWith": {"$cond": [absent, born, "$$ROOT"]}}], upsert=True
    )  # fmt: skip


def _times(birth: Birth) -> Document:
    owed = [_owed_at_birth(birth, event) for event in birth.owed]
    fields: Document = {"created_at": "$$NOW", "owed_events": owed}
    return fields | (_undo_and_due(birth) or {})


def _undo_and_due(birth: Birth) -> Document | None:
    if birth.undo_seconds is None:
        return None
    undo = birth.undo_seconds * 1000
    due = undo + birth.grace_seconds * 1000
    return {"undo_until": {"$add": ["$$NOW", undo]}, "due_at": {"$add": ["$$NOW", due]}}


def _owed_at_birth(birth: Birth, event: Any) -> Document:
    owed, times = owe(event), _undo_and_due(birth)
    if times is None or not isinstance(event.data, MessageQueued):
        return {"$literal": owed}
    return {"$mergeObjects": [{"$literal": owed}, {"at": "$$NOW", "times": times}]}


def _conditions(before: Message) -> list[Document]:
    """That the document is still as it was read, and of a schema this code may write."""
    same: list[Document] = [
        {"$eq": ["$version", before.version]},
        {"$eq": ["$status", before.status.value]},
        {"$eq": ["$attempt", before.attempt]},
        {"$lte": [{"$ifNull": ["$schema", _UNKNOWN]}, SCHEMA]},
    ]
    by = before.transmission.by if before.transmission else None
    return [*same, {"$eq": [{"$ifNull": ["$transmission.by", None]}, by]}]


def _compare_and_set(change: Change, conditions: list[Document], computed: Document) -> UpdateOne:
    """One write by ``_id`` that changes the document where the conditions hold, and leaves it untouched elsewhere.

    The conditions are in the pipeline, not in the filter: a filter by ``_id`` alone needs no query plan, which halves
    what the server spends on a write. Who won is known by what was modified.
    """
    changed, gone = difference(change.before, change.after)
    if change.owed or change.spoken:
        added = {"$literal": [owe(event) for event in change.owed]}
        computed = computed | {"owed_events": {"$concatArrays": [unspoken(change.spoken), added]}}
    after: Document = {"$mergeObjects": ["$$ROOT", {"$literal": changed}, computed]}
    for name in gone:
        after = {"$unsetField": {"field": name, "input": after}}
    guarded = {"$cond": [{"$and": conditions}, after, "$$ROOT"]}
    return UpdateOne({"_id": doc_id(change.before)}, [{"$replaceWith": guarded}])


def plain_write(change: Change, stamp: str) -> UpdateOne:
    """The compare-and-set of everything but the commit; ``stamp`` tells its writer that it won."""
    lapsed = [{"$gt": ["$transmission.until", None]}, {"$lt": ["$transmission.until", "$$NOW"]}]
    stamps = {"$slice": [{"$concatArrays": [{"$ifNull": ["$stamps", []]}, [stamp]]}, -_STAMPS]}
    conditions = [*_conditions(change.before), *(lapsed if change.lapsed else ())]
    return _compare_and_set(change, conditions, {"stamps": stamps})


def commit(change: Change, hold_seconds: float) -> UpdateOne:
    """The commit (DESIGN §3.3): due, not expired and ``until`` by the database's clock; nobody else transmits."""
    due: list[Document] = [{"$lte": ["$due_at", "$$NOW"]}, {"$lt": ["$$NOW", "$expires_at"]}]
    waiting: list[Document] = [{"$in": ["$status", WAITING]}, {"$lte": ["$transmission", None]}, _SOMEBODY_TO_TRY]
    ours = change.after.transmission
    transmission: Document = {"until": {"$add": ["$$NOW", round(hold_seconds * 1000)]}}
    if ours is not None:
        transmission |= {"by": {"$literal": ours.by}, "to": {"$literal": list(ours.to)}}
    return _compare_and_set(change, [*_conditions(change.before), *due, *waiting], {"transmission": transmission})


def fence(before: Message) -> tuple[Document, Document]:
    """Filter and update of the write that shuts out a commit nobody answered for."""
    wanted: Document = {
        "_id": doc_id(before), "attempt": before.attempt, "transmission": None, "status": {"$in": WAITING},
        "schema": KNOWN,
    }  # fmt: skip
    return wanted, {"$inc": {"attempt": 1, "version": 1}}
