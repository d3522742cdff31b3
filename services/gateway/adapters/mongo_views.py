"""The gateway's views of what other services own: kept by ``kit.copies``, listed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.channel import ChannelChanged
from contracts.channel_status import ChannelStatusChanged, Direction
from contracts.event import Event
from contracts.signature import SignatureChanged, SignaturePolicyChanged
from contracts.tenant import TenantChanged
from services.gateway.domain.page import Cut, Page
from services.gateway.ports import Signed
from services.kit.copies import Copies
from services.kit.mongo import Collection, Document, key, translated


class MongoTenants:
    """See ``ports.Tenants``."""

    def __init__(self, collection: Collection) -> None:
        self._copies = Copies(collection, TenantChanged)

    async def get(self, tenant: str) -> TenantChanged | None:
        """See the port."""
        return await self._copies.get(tenant, "tenant")

    async def at_least(self, tenant: str, version: int) -> TenantChanged:
        """See the port."""
        return await self._copies.at_least(tenant, "tenant", version)

    async def put(self, event: Event[TenantChanged]) -> bool:
        """See the port."""
        return await self._copies.put(event)


class MongoChannels:
    """See ``ports.Channels``."""

    def __init__(self, collection: Collection) -> None:
        self._collection, self._copies = collection, Copies(collection, ChannelChanged)

    async def get(self, tenant: str, channel_id: str) -> ChannelChanged | None:
        """See the port."""
        return await self._copies.get(tenant, channel_id)

    async def at_least(self, tenant: str, channel_id: str, version: int) -> ChannelChanged:
        """See the port."""
        return await self._copies.at_least(tenant, channel_id, version)

    async def list(self, tenant: str, cut: Cut) -> Page[ChannelChanged]:
        """See the port; ids are UUIDv7, so their order is the order of creation."""
        query: Document = {"tenant": tenant, "fields.removed": False}
        if cut.after:
            query["_id"] = {"$gt": key(tenant, cut.after[0])}
        async with translated():
            found = await self._collection.find(query).sort("_id", 1).limit(cut.limit + 1).to_list(None)
        items = tuple(ChannelChanged.model_validate(document["fields"]) for document in found[: cut.limit])
        return Page(items, (items[-1].channel_id,) if len(found) > cut.limit else None)

    async def put(self, event: Event[ChannelChanged]) -> bool:
        """See the port."""
        return await self._copies.put(event)

    async def drop(self, tenant: str, channel_id: str) -> None:
        """See the port."""
        await self._copies.drop(tenant, channel_id)


class MongoStatuses:
    """See ``ports.Statuses``."""

    def __init__(self, collection: Collection) -> None:
        self._collection, self._copies = collection, Copies(collection, ChannelStatusChanged)

    async def of(self, tenant: str, channel_ids: Sequence[str]) -> Mapping[str, Sequence[ChannelStatusChanged]]:
        """See the port."""
        ids = [key(tenant, one, way) for one in channel_ids for way in (Direction.IMAP, Direction.SMTP)]
        async with translated():
            found = await self._collection.find({"_id": {"$in": ids}}).to_list(None)
        known: dict[str, list[ChannelStatusChanged]] = {}
        for document in found:
            status = ChannelStatusChanged.model_validate(document["fields"])
            known.setdefault(status.channel_id, []).append(status)
        return known

    async def put(self, event: Event[ChannelStatusChanged]) -> bool:
        """See the port."""
        return await self._copies.put(event)

    async def drop(self, tenant: str, subject: str) -> None:
        """See the port."""
        await self._copies.drop(tenant, subject)


class MongoSignatures:
    """See ``ports.Signatures``; the switches are kept beside the signatures."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._signatures, self._policies = (
            Copies(collection, SignatureChanged),
            Copies(collection, SignaturePolicyChanged),
        )

    async def of(self, tenant: str, channel_id: str) -> Signed:
        """See the port."""
        prefix = key(tenant, channel_id, "")
        async with translated():
            # "0" is the character after "/": everything that starts with the prefix, and nothing else.
            query = {"_id": {"$gte": prefix, "$lt": prefix[:-1] + "0"}}
            found = await self._collection.find(query).sort("_id", 1).to_list(None)
        fields = {document["_id"].removeprefix(prefix): document["fields"] for document in found}
        policy, default = fields.pop("policy", None), fields.pop("default", None)
        return Signed(
            SignaturePolicyChanged.model_validate(policy) if policy else None,
            SignatureChanged.model_validate(default) if default else None,
            tuple(SignatureChanged.model_validate(one) for one in fields.values()),
        )

    async def put(self, event: Event[Any]) -> bool:
        """See the port."""
        if isinstance(event.data, SignaturePolicyChanged):
            return await self._policies.put(event)
        return await self._signatures.put(event)

    async def drop(self, tenant: str, subject: str) -> None:
        """See the port."""
        await self._signatures.drop(tenant, subject)
