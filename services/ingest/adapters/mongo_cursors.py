"""The cursors in MongoDB: one document per channel, moved by compare-and-set alone; many mailboxes share a command."""

from __future__ import annotations

from dataclasses import asdict, replace
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from pymongo import UpdateOne

from services.ingest.adapters.grouped_mongo import Change, GroupedChanges, GroupedReads
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.cursor import Cursor, Importing, Renumbered
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated
from services.kit.unavailable import Unanswered, Unavailable

SURE_S: Final = 1.0
"""So long after our own write moved a cursor it is still ours, or as good as: the next move would tell."""


class MongoCursors:
    """The CursorStore port."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._changes = GroupedChanges(collection)
        self._reads = GroupedReads(collection)
        self._epochs = GroupedReads(collection, {"epoch": 1})
        self._sure: dict[str, tuple[int, float]] = {}
        self._claims: Coalescer[tuple[str, str, str], tuple[Cursor, bool]] = Coalescer(self._claim, in_flight=2)

    async def claim(self, key_: ChannelKey, owner: str) -> Cursor:
        """See CursorStore; a claim whose answer was lost is made again, which does no harm."""
        cursor, mine = await self._claims.submit((key(*key_), owner, uuid4().hex))
        if mine:
            self._sure[key(*key_)] = cursor.epoch, monotonic()
        return cursor

    async def _claim(self, claims: list[tuple[str, str, str]]) -> list[tuple[Cursor, bool]]:
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
        if missing := [one for one, _, _ in claims if one not in found]:
            raise Unavailable(f"removed while they were claimed: {len(missing)} cursors")
        return [_claimed(found[one], mark) for one, _, mark in claims]

    async def move(self, key_: ChannelKey, before: Cursor, after: Cursor) -> bool:
        """See CursorStore."""
        where = {"_id": key(*key_), **_place(before)}
        beside = {"since": after.since, "renumbered": _form(after.renumbered), "importing": _form(after.importing)}
        try:
            moved = await self._changes.make(Change(where, {"$set": {**_place(after), **beside}}, _place(after)))
        except Unanswered:
            moved = await self._was_moved(key_, after)
        if moved:
            self._sure[where["_id"]] = after.epoch, monotonic()
        return moved

    async def holds(self, key_: ChannelKey, epoch: int) -> bool:
        """See CursorStore."""
        known, at = self._sure.get(key(*key_), (-1, 0.0))
        if known == epoch and monotonic() - at < SURE_S:
            return True
        return any(found["epoch"] == epoch for found in await self._epochs.find([key(*key_)]))

    async def drop(self, key_: ChannelKey) -> None:
        """See CursorStore."""
        self._sure.pop(key(*key_), None)
        async with translated():
            await self._collection.delete_one({"_id": key(*key_)})

    async def _was_moved(self, key_: ChannelKey, after: Cursor) -> bool:
        async with translated():
            return await self._collection.find_one({"_id": key(*key_), **_place(after)}, {"_id": 1}) is not None


def _claimed(found: Any, mark: str) -> tuple[Cursor, bool]:
    """The cursor as it was claimed; where another claim came right behind, with an epoch that nobody has any more."""
    cursor, mine = _cursor(found), found.get("claim") == mark
    return cursor if mine else replace(cursor, epoch=cursor.epoch - 1), mine


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
