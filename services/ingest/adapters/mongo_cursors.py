"""The cursors in MongoDB: one document per channel, moved by compare-and-set alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from services.ingest.domain.account import ChannelKey
from services.ingest.domain.cursor import Cursor, Importing, Renumbered
from services.kit.mongo import Collection, Document, key, translated
from services.kit.unavailable import Unanswered


class MongoCursors:
    """The CursorStore port."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def claim(self, key_: ChannelKey, owner: str) -> Cursor:
        """See CursorStore; a claim whose answer was lost is made again, which does no harm."""
        fresh: Document = {"uidvalidity": None, "last_uid": 0, "since": None, "generation": 0, "renumbered": None}
        change: Document = {"$inc": {"epoch": 1}, "$set": {"owner": owner}, "$setOnInsert": fresh}
        async with translated():
            found = await self._collection.find_one_and_update(
                {"_id": key(*key_)}, change, upsert=True, return_document=True
            )
        return _cursor(found)

    async def move(self, key_: ChannelKey, before: Cursor, after: Cursor) -> bool:
        """See CursorStore."""
        where = {"_id": key(*key_), **_place(before)}
        beside = {"since": after.since, "renumbered": _form(after.renumbered), "importing": _form(after.importing)}
        change = {"$set": {**_place(after), **beside}}
        try:
            async with translated():
                done = await self._collection.update_one(where, change)
        except Unanswered:
            return await self._was_moved(key_, after)
        return bool(done.matched_count)

    async def holds(self, key_: ChannelKey, epoch: int) -> bool:
        """See CursorStore."""
        async with translated():
            return await self._collection.find_one({"_id": key(*key_), "epoch": epoch}, {"_id": 1}) is not None

    async def drop(self, key_: ChannelKey) -> None:
        """See CursorStore."""
        async with translated():
            await self._collection.delete_one({"_id": key(*key_)})

    async def _was_moved(self, key_: ChannelKey, after: Cursor) -> bool:
        async with translated():
            return await self._collection.find_one({"_id": key(*key_), **_place(after)}, {"_id": 1}) is not None


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
