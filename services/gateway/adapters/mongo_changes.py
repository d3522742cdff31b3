"""The database's side of the feed: its stream, its time, and which conversation a message belongs to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from services.gateway.adapters import change_stream
from services.gateway.domain.change import Change, Thing
from services.kit.coalesce import Coalescer
from services.kit.mongo import Database, Document, key, translated

KNOWN: Final = 20_000


class MongoChanges:
    """See ``change_feed.Source``. A message never changes its conversation, so what was found once is remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, str] = {}
        self._looks: Coalescer[str, str | None] = Coalescer(self._look)

    async def now(self) -> int:
        """See the protocol."""
        return await change_stream.operation_time(self._database)

    def read(self, since: int, token: Document | None) -> AsyncIterator[change_stream.Batch]:
        """See the protocol."""
        return change_stream.changes(self._database, since, token)

    async def conversations_of(self, changes: Sequence[Change]) -> Sequence[Change]:
        """See the protocol."""
        if all(one.conversation_id for one in changes if one.kind is Thing.MESSAGE):
            return changes
        return await asyncio.gather(*map(self._placed, changes))

    async def _placed(self, change: Change) -> Change:
        if change.kind is not Thing.MESSAGE or change.conversation_id:
            return change
        doc_id = key(change.tenant, change.id)
        found = self._known.get(doc_id) or await self._looks.submit(doc_id)
        return replace(change, conversation_id=found)

    async def _look(self, group: Sequence[str]) -> Sequence[str | None]:
        query, wanted = {"_id": {"$in": [*{*group}]}}, {"conversation_id": 1}
        for collection in ("messages", "inbound"):
            async with translated():
                found = await self._database[collection].find(query, wanted).to_list(None)
            self._known.update({one["_id"]: one["conversation_id"] for one in found})
        places = [self._known.get(doc_id) for doc_id in group]
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return places
