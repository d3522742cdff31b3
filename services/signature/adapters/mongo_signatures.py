"""Signatures and switches in MongoDB: one document each, a channel's together by the prefix of their ``_id``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from contracts.event import AnyEvent
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated
from services.kit.versioned import Speak, VersionedDocuments
from services.signature.domain.signature import (
    Change,
    ChannelSignatures,
    Image,
    Kept,
    Signature,
    Switches,
    Template,
    subject,
)
from services.signature.ports import ImagesDue

FRESH_S: Final = 0.5
PACE_S: Final = 0.01
CACHED: Final = 5_000


class MongoSignatures:
    """See ``ports.Signatures``. Composing reads a whole channel, remembered for half a second."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._documents = collection, VersionedDocuments(collection, "signature", speak)
        self._cache: dict[str, tuple[float, asyncio.Task[ChannelSignatures]]] = {}
        self._loads: Coalescer[str, ChannelSignatures] = Coalescer(self._load, limit=100, pace_s=PACE_S)

    async def of(self, tenant: str, channel_id: str) -> ChannelSignatures:
        """See the port; concurrent calls share one read, those of other channels too."""
        prefix, now = key(tenant, channel_id), time.monotonic()
        cached = self._cache.get(prefix)
        if cached is None or now - cached[0] > FRESH_S or _failed(cached[1]):
            self._cache.pop(prefix, None)
            cached = self._cache[prefix] = (now, asyncio.create_task(self._loads.submit(prefix)))
            if len(self._cache) > CACHED:
                del self._cache[next(iter(self._cache))]
        return await asyncio.shield(cached[1])

    async def read(self, tenant: str, channel_id: str, operator_id: str | None) -> Signature | None:
        """See the port."""
        held = await self._documents.read(key(tenant, subject(channel_id, operator_id)))
        return _signature(held.fields, held.version) if held else None

    async def switches(self, tenant: str, channel_id: str) -> Switches:
        """See the port."""
        held = await self._documents.read(key(tenant, channel_id, "policy"))
        return _switches(held.fields, held.version) if held else Switches()

    async def write(self, tenant: str, channel_id: str, signature: Signature, owed: AnyEvent) -> bool:
        """See the port."""
        doc_id = key(tenant, subject(channel_id, signature.operator_id))
        due_at = signature.change.at if signature.blob_ids else None  # at once: the sweep knows when again
        written = await self._documents.write(
            doc_id, signature.version, asdict(signature), (owed,), tenant=tenant, images_due_at=due_at
        )
        self._cache.pop(key(tenant, channel_id), None)
        return written

    async def write_switches(self, tenant: str, channel_id: str, switches: Switches, owed: AnyEvent) -> bool:
        """See the port."""
        doc_id = key(tenant, channel_id, "policy")
        written = await self._documents.write(doc_id, switches.version, asdict(switches), (owed,), tenant=tenant)
        self._cache.pop(key(tenant, channel_id), None)
        return written

    async def subjects(self, tenant: str, channel_id: str) -> Sequence[str]:
        """See the port."""
        async with translated():
            found = await self._collection.find(_of(key(tenant, channel_id)), {"_id": 1}).to_list(None)
        return [document["_id"].partition("/")[2] for document in found]

    async def remove(self, tenant: str, channel_id: str) -> None:
        """See the port."""
        async with translated():
            await self._collection.delete_many(_of(key(tenant, channel_id)))
        self._cache.pop(key(tenant, channel_id), None)

    async def with_images_due(self, now: datetime, limit: int) -> Sequence[ImagesDue]:
        """See the port."""
        async with translated():
            found = await self._collection.find({"images_due_at": {"$lte": now}}).limit(limit).to_list(None)
        return [_due(document) for document in found]

    async def images_kept(self, due: ImagesDue, again_at: datetime) -> None:
        """See the port."""
        mine = {"_id": key(due.tenant, due.subject), "version": due.version}
        async with translated():
            await self._collection.update_one(mine, {"$set": {"images_due_at": again_at}})

    async def _load(self, prefixes: Sequence[str]) -> Sequence[ChannelSignatures]:
        async with translated():
            found = await self._collection.find({"$or": [*map(_of, prefixes)]}).to_list(None)
        by_channel: dict[str, list[Document]] = {prefix: [] for prefix in prefixes}
        for document in found:
            by_channel["/".join(document["_id"].split("/", 2)[:2])].append(document)
        return [_channel(by_channel[prefix]) for prefix in prefixes]


def _failed(task: asyncio.Task[ChannelSignatures]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _of(prefix: str) -> Document:
    """All documents below a prefix; ``0`` is the character after ``/``."""
    return {"_id": {"$gt": f"{prefix}/", "$lt": f"{prefix}0"}}


def _channel(found: Sequence[Document]) -> ChannelSignatures:
    switches, by_operator = Switches(), {}
    for document in found:
        if document["_id"].endswith("/policy"):
            switches = _switches(document["fields"], document["version"])
        else:
            signature = _signature(document["fields"], document["version"])
            by_operator[signature.operator_id] = signature
    return ChannelSignatures(switches, by_operator)


def _signature(fields: Mapping[str, Any], version: int) -> Signature:
    kept = fields["previous"]
    return Signature(
        fields["operator_id"], version, Template(**fields["template"]), Change(**fields["change"]),
        Kept(kept["version"], Template(**kept["template"]), _images(kept)) if kept else None, tuple(fields["recent"]),
        _images(fields),
    )  # fmt: skip


def _images(fields: Mapping[str, Any]) -> tuple[Image, ...]:
    return tuple(Image(**one) for one in fields.get("images", ()))


def _due(document: Document) -> ImagesDue:
    tenant, _, name = document["_id"].partition("/")
    return ImagesDue(tenant, name, document["version"], _signature(document["fields"], document["version"]).blob_ids)


def _switches(fields: Mapping[str, Any], version: int) -> Switches:
    change, recent = Change(**fields["change"]), tuple(fields["recent"])
    return Switches(version, fields["operators_sign"], fields["default_enabled"], change, recent)
