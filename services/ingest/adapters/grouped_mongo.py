"""Reads by id, inserts and compare-and-sets of many mailboxes at once: each caller gives its own, one command has all.

A majority write costs the same for one document or hundreds (FINDINGS, "The outbound hot path, measured"). No caller
sees the others: who is first, and who has lost, is said for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, translated
from services.kit.unavailable import Unanswered

DUPLICATE: Final = 11000
PACE_S: Final = 0.01
"""Commands of one kind begin so far apart under load; one that comes alone never waits."""


class GroupedReads:
    """Documents by their ``_id``; ``fields``: the projection."""

    def __init__(self, collection: Collection, fields: Document | None = None) -> None:
        self._collection, self._fields = collection, fields
        self._asked: Coalescer[Sequence[str], list[Document]] = Coalescer(self._find, limit=200, pace_s=PACE_S)

    async def find(self, ids: Sequence[str]) -> list[Document]:
        """Those of them that there are. Raises Unavailable."""
        return await self._asked.submit(ids) if ids else []

    async def _find(self, groups: list[Sequence[str]]) -> list[list[Document]]:
        wanted = list({one for ids in groups for one in ids})
        async with translated():
            found = await self._collection.find({"_id": {"$in": wanted}}, self._fields).to_list(None)
        by_id = {document["_id"]: document for document in found}
        return [[by_id[one] for one in dict.fromkeys(ids) if one in by_id] for ids in groups]


class GroupedInserts:
    """Documents written where none stands under their ``_id``; ``limit``: callers at once."""

    def __init__(self, collection: Collection, *, limit: int) -> None:
        self._collection = collection
        self._given: Coalescer[list[Document], set[str]] = Coalescer(
            self._insert, limit=limit, in_flight=2, pace_s=PACE_S
        )

    async def insert(self, documents: list[Document]) -> set[str]:
        """The ids under which something stood already. Raises Unavailable."""
        return await self._given.submit(documents) if documents else set()

    async def _insert(self, groups: list[list[Document]]) -> list[set[str]]:
        owners = [(n, document) for n, documents in enumerate(groups) for document in documents]
        stood: list[set[str]] = [set() for _ in groups]
        try:
            async with translated():
                await self._collection.insert_many([document for _, document in owners], ordered=False)
        except BulkWriteError as error:
            for index in _duplicates(error):
                group, document = owners[index]
                stood[group].add(document["_id"])
        return stood


@dataclass(frozen=True, slots=True)
class Change:
    """One compare-and-set: ``where`` (with its ``_id``) must match for ``change`` to be made; ``mark`` are fields that
    only this change leaves behind, to know a win by when not all have won. ``create``: written where nothing stands.
    """

    where: Document
    change: Document
    mark: Document
    create: bool = False


class GroupedChanges:
    """Compare-and-sets, each won or lost on its own. Two of one document never stand in one command."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._given: Coalescer[Change, bool] = Coalescer(self._write, in_flight=2, pace_s=PACE_S)

    async def make(self, change: Change) -> bool:
        """Whether it was made. Raises Unanswered where nobody knows."""
        return await self._given.submit(change)

    async def _write(self, changes: list[Change]) -> list[bool]:
        made: list[bool] = []
        for some in _apart(changes):
            made += await self._once(some)
        return made

    async def _once(self, changes: list[Change]) -> list[bool]:
        writes = [_write(each) for each in changes]
        try:
            async with translated():
                done = await self._collection.bulk_write(writes, ordered=False)
            won = done.matched_count + done.inserted_count
        except BulkWriteError as error:
            _duplicates(error)
            won = 0
        return [True] * len(changes) if won == len(changes) else await self._look(changes)

    async def _look(self, changes: list[Change]) -> list[bool]:
        """Somebody lost: who won is known by its mark."""
        marks = [{"_id": each.where["_id"], **each.mark} for each in changes]
        async with translated():
            found = await self._collection.find({"$or": marks}, {"_id": 1}).to_list(None)
        won = {document["_id"] for document in found}
        return [each.where["_id"] in won for each in changes]


def _write(it: Change) -> InsertOne[Document] | UpdateOne:
    return InsertOne(dict(it.change)) if it.create else UpdateOne(it.where, it.change)


def _apart(changes: list[Change]) -> list[list[Change]]:
    """In runs without a document that comes twice."""
    runs: list[list[Change]] = []
    ids: set[Any] = set()
    for each in changes:
        if not runs or each.where["_id"] in ids:
            runs.append([])
            ids = set()
        ids.add(each.where["_id"])
        runs[-1].append(each)
    return runs


def _duplicates(error: BulkWriteError) -> list[int]:
    """Which of the writes found something standing under their ``_id``; raises where any failed for another reason."""
    failed: list[Any] = (error.details or {}).get("writeErrors", [])
    if any(each["code"] != DUPLICATE for each in failed):
        raise error
    if (error.details or {}).get("writeConcernErrors"):
        raise Unanswered("MongoDB's majority did not answer") from error
    return [each["index"] for each in failed]
