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
        latest: dict[str, Progress] = {}
        for doc_id, progress in group:
            known = latest.get(doc_id)
            if known is None or known.outbox_version < progress.outbox_version:
                latest[doc_id] = progress
        writes = [UpdateOne(_guard(doc_id, one), _change(one)) for doc_id, one in latest.items()]
        async with translated():
            await self._collection.bulk_write(writes, ordered=False)
        return [None] * len(group)


def _guard(doc_id: str, progress: Progress) -> Document:
    return {"_id": doc_id, "progress.outbox_version": {"$lt": progress.outbox_version}}


def _change(progress: Progress) -> Document:
    change: Document = {"$set": progress_form(progress)}
    if progress.status in TERMINAL:
        change["$unset"] = {"open": ""}
    return change
