"""The projection of messages, grouped: per message and bulk one upsert-free write, guarded by the outbox's version.

At most 100 a bulk: larger ones keep the loop from answering requests (FINDINGS, "The outbound hot path, measured").
"""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne

from services.gateway.adapters.mongo_forms import progress_form
from services.gateway.domain.message import TERMINAL, Progress
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, translated

MOST = 100


class Advances:
    """Keeps the highest version; a message that is none of ours is left alone."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._group: Coalescer[tuple[str, Progress], None] = Coalescer(self._flush, limit=MOST)

    async def submit(self, doc_id: str, progress: Progress) -> None:
        """Returns when it is kept, or was older than what is kept."""
        await self._group.submit((doc_id, progress))

    async def _flush(self, group: list[tuple[str, Progress]]) -> Sequence[None]:
        said: dict[str, list[Progress]] = {}
        for doc_id, progress in group:
            said.setdefault(doc_id, []).append(progress)
        writes = [_write(doc_id, sorted(each, key=_version)) for doc_id, each in said.items()]
        async with translated():
            await self._collection.bulk_write(writes, ordered=False)
        return [None] * len(group)


def _version(progress: Progress) -> int:
    return progress.outbox_version


def _write(doc_id: str, said: Sequence[Progress]) -> UpdateOne:
    """One write for what was said in a row: each fact adds its fields, the newest has the last word."""
    fields: Document = {}
    for progress in said:
        fields |= progress_form(progress)
    change: Document = {"$set": fields}
    if said[-1].status in TERMINAL:
        change["$unset"] = {"open": ""}
    return UpdateOne({"_id": doc_id, "progress.outbox_version": {"$lt": said[-1].outbox_version}}, change)
