"""Lanes in MongoDB: one document a channel. An optimisation, so its writes wait for the primary alone.

```
free --claim--> owned until ... --renew--> owned --release--> free         owned --its time is over--> free (lapsed)
```

Taking or renewing a lane moves ``next_due_at`` out of the document (into ``seen``, which the owner is told): whoever
wakes the lane afterwards changes the document, the change stream shows it, and a release cannot hide it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import chain, zip_longest
from secrets import token_hex
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.read_concern import ReadConcern

from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, quick, translated
from services.outbox.ports import Lane

_FREE: Final = {"$lt": ["$until", "$$NOW"]}
"""Free or lapsed: what is missing comes before every time."""
_UNPAUSED: Final = {"$lte": ["$paused_until", "$$NOW"]}
_TOLD: Final = ("next_due_at", "paused_until")
_CHANGES: Final[list[Document]] = [
    {"$match": {"$or": [
        {"operationType": "insert"},
        *({f"updateDescription.updatedFields.{name}": {"$exists": True}} for name in _TOLD),
        {"updateDescription.removedFields": {"$in": ["owner", "paused_until"]}},
    ]}},
]  # fmt: skip


class MongoLanes:
    """The Lanes port."""

    def __init__(self, collection: Collection) -> None:
        self._watched = collection
        self._collection = quick(collection).with_options(read_concern=ReadConcern("local"))
        self._wakes: Coalescer[tuple[str, str, datetime], None] = Coalescer(self._wake)

    async def wake(self, tenant: str, channel_id: str, due_at: datetime) -> None:
        """See Lanes."""
        await self._wakes.submit((tenant, channel_id, due_at))

    async def claim(self, owner: str, before: datetime, seconds: float, limit: int) -> Sequence[Lane]:
        """See Lanes; one of each tenant, those that wait longest first, then a second of each, and so on."""
        async with translated():
            chosen = (await self._candidates(before, limit))[:limit]
            if not chosen:
                return []
            stamp, free = token_hex(8), {"$expr": {"$and": [_FREE, _UNPAUSED]}}
            take = _taking(owner, seconds, stamp)
            await self._collection.bulk_write(
                [UpdateOne({"_id": each, **free}, take) for each in chosen], ordered=False
            )
            found = await self._collection.find({"_id": {"$in": chosen}, "claim": stamp}).to_list(None)
        return sorted(map(_lane, found), key=lambda lane: chosen.index(key(lane.tenant, lane.channel_id)))

    async def claim_one(self, owner: str, tenant: str, channel_id: str, seconds: float) -> Lane | None:
        """See Lanes."""
        lane = {"_id": key(tenant, channel_id)}
        mine_or_free: Document = {"$or": [{"owner": owner}, {"$expr": _FREE}]}
        take, after = _taking(owner, seconds, token_hex(8)), ReturnDocument.AFTER
        async with translated():
            await self._collection.update_one(lane, {"$setOnInsert": _born(tenant)}, upsert=True)
            found = await self._collection.find_one_and_update(lane | mine_or_free, take, return_document=after)
        return None if found is None else _lane(found)

    async def renew(self, owner: str, seconds: float) -> Sequence[Lane]:
        """See Lanes; ``next_due_at`` says what was woken since it was last asked."""
        async with translated():
            await self._collection.update_many({"owner": owner}, _taking(owner, seconds, None))
            return [_lane(found) for found in await self._collection.find({"owner": owner}).to_list(None)]

    async def release(self, owner: str, tenant: str, channel_id: str, next_due_at: datetime | None) -> None:
        """See Lanes; a wake-up that came meanwhile and is earlier stays."""
        change: Document = {"$unset": {"owner": "", "until": "", "claim": "", "seen": ""}}
        if next_due_at is not None:
            change["$min"] = {"next_due_at": next_due_at}
        async with translated():
            await self._collection.update_one({"_id": key(tenant, channel_id), "owner": owner}, change)

    async def pause(self, tenant: str, channel_id: str, until: datetime) -> Lane:
        """See Lanes."""
        change: Document = {"$set": {"paused_until": until, "tenant": tenant}, "$inc": {"failures": 1}}
        async with translated():
            found = await self._collection.find_one_and_update(
                {"_id": key(tenant, channel_id)}, change, upsert=True, return_document=ReturnDocument.AFTER
            )
        return _lane(found)

    async def resume(self, tenant: str, channel_id: str) -> None:
        """See Lanes."""
        paused: Document = {"$or": [{"paused_until": {"$exists": True}}, {"failures": {"$gt": 0}}]}
        change: Document = {"$unset": {"paused_until": ""}, "$set": {"failures": 0}}
        async with translated():
            await self._collection.update_one({"_id": key(tenant, channel_id), **paused}, change)

    async def drop(self, tenant: str, channel_id: str) -> None:
        """See Lanes."""
        async with translated():
            await self._collection.delete_one({"_id": key(tenant, channel_id)})

    async def changes(self) -> AsyncIterator[Lane]:
        """See Lanes; raises Unavailable when the stream breaks."""
        async with translated(), self._watched.watch(_CHANGES, full_document="updateLookup") as stream:
            async for change in stream:
                if change.get("fullDocument"):
                    yield _lane(change["fullDocument"])

    async def _wake(self, wakes: list[tuple[str, str, datetime]]) -> Sequence[None]:
        earliest: dict[tuple[str, str], datetime] = {}
        for tenant, channel_id, due_at in wakes:
            earliest[tenant, channel_id] = min(due_at, earliest.get((tenant, channel_id), due_at))
        updates = [
            UpdateOne(
                {"_id": key(*lane)}, {"$min": {"next_due_at": due_at}, "$setOnInsert": _born(lane[0])}, upsert=True
            )
            for lane, due_at in earliest.items()
        ]
        async with translated():
            await self._collection.bulk_write(updates, ordered=False)
        return [None] * len(wakes)

    async def _candidates(self, before: datetime, limit: int) -> list[str]:
        steps: list[Document] = [
            {"$match": {"next_due_at": {"$lt": before}, "$expr": {"$and": [_FREE, _UNPAUSED]}}},
            {"$sort": {"next_due_at": 1}},
            {"$group": {"_id": "$tenant", "lanes": {"$push": "$_id"}, "first": {"$first": "$next_due_at"}}},
            {"$sort": {"first": 1}},
            {"$project": {"lanes": {"$slice": ["$lanes", limit]}}},
        ]
        tenants = await self._collection.aggregate(steps).to_list(None)
        rounds = zip_longest(*(tenant["lanes"] for tenant in tenants))
        return [lane for lane in chain.from_iterable(rounds) if lane is not None]


def _born(tenant: str) -> Document:
    return {"tenant": tenant, "failures": 0}


def _taking(owner: str, seconds: float, stamp: str | None) -> list[Document]:
    values: Document = {
        "owner": owner, "until": {"$add": ["$$NOW", round(seconds * 1000)]},
        "seen": {"$ifNull": ["$next_due_at", "$$REMOVE"]},
    }  # fmt: skip
    return [{"$set": values | ({"claim": stamp} if stamp else {})}, {"$unset": ["next_due_at"]}]


def _lane(found: Any) -> Lane:
    tenant, _, channel_id = found["_id"].partition("/")
    due = [found[name] for name in ("next_due_at", "seen") if name in found]
    return Lane(
        tenant, channel_id, found.get("owner"), found.get("until"), min(due, default=None), found.get("paused_until"),
        found.get("failures", 0),
    )  # fmt: skip
