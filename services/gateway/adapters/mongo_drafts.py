"""Drafts in MongoDB, forgotten by its own clock."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from services.gateway.domain.draft import Draft
from services.kit.mongo import Collection, key, translated


class MongoDrafts:
    """See ``ports.Drafts``."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def get(self, tenant: str, sub: str, name: str) -> Draft | None:
        """See the port."""
        async with translated():
            found = await self._collection.find_one({"_id": _id(tenant, sub, name), "tenant": tenant})
        return Draft(name, {one: tuple(values) for one, values in found["fields"]}, found["at"]) if found else None

    async def put(self, tenant: str, sub: str, draft: Draft, until: datetime) -> None:
        """See the port."""
        fields = [[name, list(values)] for name, values in draft.fields.items()]  # names may hold dots and dollars
        kept = {"tenant": tenant, "fields": fields, "at": draft.at, "expires_at": until}
        async with translated():
            await self._collection.update_one({"_id": _id(tenant, sub, draft.name)}, {"$set": kept}, upsert=True)

    async def drop(self, tenant: str, sub: str, name: str) -> None:
        """See the port."""
        async with translated():
            await self._collection.delete_one({"_id": _id(tenant, sub, name), "tenant": tenant})


def _id(tenant: str, sub: str, name: str) -> str:
    """A ``sub`` may hold anything, a slash too; its hash stands for it."""
    return key(tenant, sha256(sub.encode()).hexdigest()[:32], name)
