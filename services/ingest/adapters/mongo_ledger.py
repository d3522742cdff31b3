"""The ledger in MongoDB: contents and Message-IDs side by side in one collection; the calls of many mailboxes are one.

``_id`` is ``tenant/channel/c/<sha256 of the content>`` or ``tenant/channel/m/<sha256 of the Message-ID>`` (an index
key has a limit, a Message-ID of a stranger has none). Entries die when the mails they speak of are no longer announced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from services.ingest.adapters.grouped_mongo import GroupedInserts, GroupedReads
from services.ingest.domain.account import ChannelKey
from services.ingest.domain.ledger import Seen, Thread
from services.kit.clock import Clock
from services.kit.mongo import Collection, Document, key

_AT_ONCE: Final = 32
"""Slices whose entries are written together; with 200 mails each these are 6,400 mails at most."""


class MongoLedger:
    """The Ledger port; ``life`` is how long an entry stands."""

    def __init__(self, collection: Collection, clock: Clock, life: timedelta) -> None:
        self._clock, self._life = clock, life
        self._reads = GroupedReads(collection)
        self._inserts = GroupedInserts(collection, limit=_AT_ONCE)

    async def seen(self, key_: ChannelKey, sha256s: Sequence[str]) -> Mapping[str, Seen]:
        """See Ledger."""
        found = await self._reads.find([_content(key_, sha256) for sha256 in sha256s])
        return {entry.sha256: entry for entry in map(_seen, found)}

    async def conversations(self, key_: ChannelKey, internet_message_ids: Sequence[str]) -> Mapping[str, str]:
        """See Ledger."""
        wanted = {_thread(key_, mail_id): mail_id for mail_id in internet_message_ids}
        found = await self._reads.find(list(wanted))
        return {wanted[document["_id"]]: document["conversation_id"] for document in found}

    async def note(self, key_: ChannelKey, seen: Sequence[Seen], threads: Sequence[Thread]) -> Mapping[str, Seen]:
        """See Ledger."""
        until = self._clock.now() + self._life
        documents: dict[str, Document] = {}
        for entry in seen:
            documents.setdefault(_content(key_, entry.sha256), _entry(entry))
        for thread in threads:
            thread_id = _thread(key_, thread.internet_message_id)
            documents.setdefault(thread_id, {"conversation_id": thread.conversation_id})
        others = await self._inserts.insert([{"_id": one, **it, "until": until} for one, it in documents.items()])
        return await self._others(key_, seen, others) if others else {}

    async def _others(self, key_: ChannelKey, seen: Sequence[Seen], others: Some[str]) -> Mapping[str, Seen]:
        """The entries of these contents that somebody else had written before."""
        wanted = [_content(key_, entry.sha256) for entry in seen]
        found = await self._reads.find([one for one in wanted if one in others])
        return {entry.sha256: entry for entry in map(_seen, found)}


def _content(key_: ChannelKey, sha256: str) -> str:
    return key(*key_, "c", sha256)


def _thread(key_: ChannelKey, internet_message_id: str) -> str:
    return key(*key_, "m", hashlib.sha256(internet_message_id.encode("utf-8", "surrogatepass")).hexdigest())


def _entry(seen: Seen) -> Document:
    return {
        "message_id": seen.message_id, "conversation_id": seen.conversation_id, "generation": seen.generation,
        "uidvalidity": seen.uidvalidity, "uid": seen.uid,
    }  # fmt: skip


def _seen(document: Document) -> Seen:
    sha256 = document["_id"].rpartition("/")[2]
    return Seen(
        sha256, document["message_id"], document["conversation_id"], document["generation"], document["uidvalidity"],
        document["uid"],
    )  # fmt: skip
