"""The writes of outbound messages as MongoDB operations; pure, one message each. The shapes are DESIGN §3's.

Each is one compare-and-set: state, ``version + 1`` and the owed events together.
"""

from __future__ import annotations

from typing import Any, Final

from pymongo import UpdateOne

from contracts.outbound import MessageQueued
from services.kit.mongo import Document
from services.kit.owed import owe
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
_ISO: Final = "%Y-%m-%dT%H:%M:%S.%LZ"


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
    spoken = {name: {"$dateToString": {"date": moment, "format": _ISO}} for name, moment in times.items()}
    fields = {"$mergeObjects": [{"$literal": owed["fields"]}, spoken]}
    return {"$mergeObjects": [{"$literal": owed}, {"at": "$$NOW", "fields": fields}]}


def _match(before: Message) -> Document:
    wanted: Document = {
        "_id": doc_id(before), "version": before.version, "status": before.status.value, "attempt": before.attempt,
        "schema": KNOWN,
    }  # fmt: skip
    if before.transmission is None:
        return wanted | {"transmission": None}
    return wanted | {"transmission.by": before.transmission.by}


def plain_write(change: Change, stamp: str) -> UpdateOne:
    """The compare-and-set of everything but the commit; ``stamp`` tells its writer that it won."""
    lapsed: Document = LAPSED if change.lapsed else {}
    changed, gone = difference(change.before, change.after)
    push: Document = {"stamps": {"$each": [stamp], "$slice": -_STAMPS}}
    if change.owed:
        push["owed_events"] = {"$each": [owe(event) for event in change.owed]}
    update: Document = {"$set": changed, "$push": push}
    if gone:
        update["$unset"] = dict.fromkeys(gone, "")
    return UpdateOne(_match(change.before) | lapsed, update)


def commit(change: Change, hold_seconds: float) -> UpdateOne:
    """The commit (DESIGN §3.3): due, not expired and ``until`` by the database's clock; nobody else transmits."""
    due = {"$expr": {"$and": [{"$lte": ["$due_at", "$$NOW"]}, {"$lt": ["$$NOW", "$expires_at"]}]}}
    waiting: Document = {"status": {"$in": [each for each in WAITING if each == change.before.status.value]}}
    waiting |= {"transmission": None, "recipients.state": TRIED}
    changed, gone = difference(change.before, change.after)
    values: Document = {name: {"$literal": value} for name, value in changed.items()}
    values["transmission"] = {
        "by": {"$literal": changed["transmission"]["by"]},
        "to": {"$literal": changed["transmission"]["to"]},
        "until": {"$add": ["$$NOW", round(hold_seconds * 1000)]},
    }
    if change.owed:
        added = {"$literal": [owe(event) for event in change.owed]}
        values["owed_events"] = {"$concatArrays": [{"$ifNull": ["$owed_events", []]}, added]}
    pipeline: list[Document] = [{"$set": values}, *([{"$unset": gone}] if gone else [])]
    return UpdateOne(_match(change.before) | waiting | due, pipeline)


def fence(before: Message) -> tuple[Document, Document]:
    """Filter and update of the write that shuts out a commit nobody answered for."""
    wanted: Document = {
        "_id": doc_id(before), "attempt": before.attempt, "transmission": None, "status": {"$in": WAITING},
        "schema": KNOWN,
    }  # fmt: skip
    return wanted, {"$inc": {"attempt": 1, "version": 1}}
