"""The cursors in MongoDB: one document per channel, moved by compare-and-set alone; many mailboxes share a command."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any
from uuid import uuid4

from pymongo import UpdateOne

from services.ingest.adapters.grouped_mongo import Change, GroupedChanges, GroupedReads
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.cursor import Cursor, Importing, Renumbered
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated
from services.kit.unavailable import Unanswered


class MongoCursors:
    """The CursorStore port."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._changes = GroupedChanges(collection)
        self._reads = GroupedReads(collection)
        self._epochs = GroupedReads(collection, {"epoch": 1})
        self._claims: Coalescer[tuple[str, str, str], Cursor] = Coalescer(self._claim, in_flight=2)

    async def claim(self, key_: ChannelKey, owner: str) -> Cursor:
        """See CursorStore; a claim whose answer was lost is made again, which does no harm."""
        return await self._claims.submit((key(*key_), owner, uuid4().hex))

    async def _claim(self, claims: list[tuple[str, str, str]]) -> list[Cursor]:
        fresh: Document = {"uidvalidity": None, "last_uid": 0, "since": None, "generation": 0, "renumbered": None}
        writes = [
            UpdateOne(
                {"_id": one},
                {"$inc": {"epoch": 1}, "$set": {"owner": owner, "claim": mark}, "$setOnInsert": fresh},
                upsert=True,
            )
            for one, owner, mark in claims
        ]
        async with translated():
            await self._collection.bulk_write(writes, ordered=True)
        found = {each["_id"]: each for each in await self._reads.find([one for one, _, _ in claims])}
        return [_claimed(found[one], mark) for one, _, mark in claims]

    async def move(self, key_: ChannelKey, before: Cursor, after: Cursor) -> bool:
        """See CursorStore."""
        where = {"_id": key(*key_), **_place(before)}
        beside = {"since": after.since, "renumbered": _form(after.renumbered), "importing": _form(after.importing)}
        try:
            return await self._changes.make(Change(where, {"$set": {**_place(after), **beside}}, _place(after)))
        except Unanswered:
            return await self._was_moved(key_, after)

    async def holds(self, key_: ChannelKey, epoch: int) -> bool:
        """See CursorStore."""
        return any(found["epoch"] == epoch for found in await self._epochs.find([key(*key_)]))

    async def drop(self, key_: ChannelKey) -> None:
        """See CursorStore."""
        async with translated():
            await self._collection.delete_one({"_id": key(*key_)})

    async def _was_moved(self, key_: ChannelKey, after: Cursor) -> bool:
        async with translated():
            return await self._collection.find_one({"_id": key(*key_), **_place(after)}, {"_id": 1}) is not None


def _claimed(found: Any, mark: str) -> Cursor:
    """The cursor as it was claimed; where another claim came right behind, with an epoch that nobody has any more."""
    cursor = _cursor(found)
    return cursor if found.get("claim") == mark else replace(cursor, epoch=cursor.epoch - 1)


def _place(cursor: Cursor) -> Document:
    return {
        "epoch": cursor.epoch, "generation": cursor.generation, "uidvalidity": cursor.uidvalidity,
        "last_uid": cursor.last_uid,
    }  # fmt: skip


def _form(part: Renumbered | Importing | None) -> Document | None:
    return None if part is None else asdict(part)


def _cursor(found: Any) -> Cursor:
    over = found["renumbered"]
    return Cursor(
        found["epoch"], found["uidvalidity"], found["last_uid"], found["since"], found["generation"],
        None if over is None else Renumbered(**{**over, "importing": _importing(over.get("importing"))}),
        _importing(found.get("importing")),
    )  # fmt: skip


def _importing(found: Any) -> Importing | None:
    return None if found is None else Importing(**found)
