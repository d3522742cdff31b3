"""The ledger in MongoDB: contents and Message-IDs side by side in one collection, one read and one insert a slice.

``_id`` is ``tenant/channel/c/<sha256 of the content>`` or ``tenant/channel/m/<sha256 of the Message-ID>`` (an index
key has a limit, a Message-ID of a stranger has none). Entries die when the mails they speak of are no longer announced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from pymongo.errors import BulkWriteError

from services.ingest.domain.account import ChannelKey
from services.ingest.domain.ledger import Seen, Thread
from services.kit.clock import Clock
from services.kit.mongo import Collection, Document, key, translated

DUPLICATE = 11000


class MongoLedger:
    """The Ledger port; ``life`` is how long an entry stands."""

    def __init__(self, collection: Collection, clock: Clock, life: timedelta) -> None:
        self._collection, self._clock, self._life = collection, clock, life

    async def seen(self, key_: ChannelKey, sha256s: Sequence[str]) -> Mapping[str, Seen]:
        """See Ledger."""
        found = await self._find([_content(key_, sha256) for sha256 in sha256s])
        return {entry.sha256: entry for entry in map(_seen, found)}

    async def conversations(self, key_: ChannelKey, internet_message_ids: Sequence[str]) -> Mapping[str, str]:
        """See Ledger."""
        wanted = {_thread(key_, mail_id): mail_id for mail_id in internet_message_ids}
        found = await self._find(list(wanted))
        return {wanted[document["_id"]]: document["conversation_id"] for document in found}

    async def note(self, key_: ChannelKey, seen: Sequence[Seen], threads: Sequence[Thread]) -> Mapping[str, Seen]:
        """See Ledger."""
        until = self._clock.now() + self._life
        documents: dict[str, Document] = {}
        for entry in seen:
            document = {"message_id": entry.message_id, "generation": entry.generation}
            document |= {"uidvalidity": entry.uidvalidity, "uid": entry.uid}
            documents.setdefault(
                _content(key_, entry.sha256), {**document, "conversation_id": entry.conversation_id, "until": until}
            )
        for thread in threads:
            thread_id = _thread(key_, thread.internet_message_id)
            documents.setdefault(thread_id, {"conversation_id": thread.conversation_id, "until": until})
        others = await self._insert([{"_id": one, **document} for one, document in documents.items()])
        wanted = [_content(key_, entry.sha256) for entry in seen]
        found = await self._find([one for one in wanted if one in others]) if others else []
        return {entry.sha256: entry for entry in map(_seen, found)}

    async def _find(self, ids: list[str]) -> list[Document]:
        if not ids:
            return []
        async with translated():
            return await self._collection.find({"_id": {"$in": ids}}).to_list(None)

    async def _insert(self, documents: list[Document]) -> set[str]:
        """The ids under which something stood already."""
        if not documents:
            return set()
        try:
            async with translated():
                await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failed: list[Any] = (error.details or {}).get("writeErrors", [])
            if any(each["code"] != DUPLICATE for each in failed):
                raise
            return {documents[each["index"]]["_id"] for each in failed}
        return set()


def _content(key_: ChannelKey, sha256: str) -> str:
    return key(*key_, "c", sha256)


def _thread(key_: ChannelKey, internet_message_id: str) -> str:
    return key(*key_, "m", hashlib.sha256(internet_message_id.encode("utf-8", "surrogatepass")).hexdigest())


def _seen(document: Document) -> Seen:
    sha256 = document["_id"].rpartition("/")[2]
    return Seen(
        sha256, document["message_id"], document["conversation_id"], document["generation"], document["uidvalidity"],
        document["uid"],
    )  # fmt: skip
