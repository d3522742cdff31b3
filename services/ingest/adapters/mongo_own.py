"""What ingest keeps of others: the bytes our own messages went out with, and who takes part in conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Final

from contracts.tenant import TenantChanged
from services.ingest.ports import OwnMail
from services.kit.clock import Clock
from services.kit.copies import Copies
from services.kit.mongo import Collection, Document, key, quick, translated

_FIELDS: Final = tuple(each.name for each in fields(OwnMail))


class MongoOwnMails:
    """The OwnMails port, and what fills it; ``life`` is how long an entry stands."""

    def __init__(self, collection: Collection, clock: Clock, life: timedelta) -> None:
        self._collection, self._clock, self._life = collection, clock, life

    async def put(self, tenant: str, message_id: str, own: OwnMail) -> None:
        """Keep it; a repeat writes the same again."""
        form = {name: getattr(own, name) for name in _FIELDS} | {"until": self._clock.now() + self._life}
        async with translated():
            await self._collection.update_one({"_id": key(tenant, message_id)}, {"$set": form}, upsert=True)

    async def find(self, tenant: str, message_ids: Sequence[str]) -> Mapping[str, OwnMail]:
        """See OwnMails."""
        if not message_ids:
            return {}
        wanted = {"_id": {"$in": [key(tenant, message_id) for message_id in message_ids]}}
        async with translated():
            found = await self._collection.find(wanted).to_list(None)
        return {one["_id"].rpartition("/")[2]: _own(one) for one in found}


def _own(found: Document) -> OwnMail:
    return OwnMail(**{name: found[name] for name in _FIELDS if name in found})


class MongoTenants(Copies[TenantChanged]):
    """The Tenants port."""

    def __init__(self, collection: Collection) -> None:
        super().__init__(collection, TenantChanged)
        self._tenants = collection

    async def switched_off(self) -> frozenset[str]:
        """See Tenants."""
        async with translated():
            found = await self._tenants.find({"fields.email_enabled": False}, {"tenant": 1}).to_list(None)
        return frozenset(one["tenant"] for one in found)


class MongoParticipants:
    """The Participants port over the copies of conversations (kit Copies writes them)."""

    def __init__(self, collection: Collection) -> None:
        self._collection = quick(collection)

    async def of(self, tenant: str, conversation_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """See Participants."""
        if not conversation_ids:
            return {}
        wanted = {"_id": {"$in": [key(tenant, conversation_id) for conversation_id in conversation_ids]}}
        async with translated():
            found = await self._collection.find(wanted, {"fields.participants.address": 1}).to_list(None)
        return {
            one["_id"].rpartition("/")[2]: frozenset(each["address"].lower() for each in one["fields"]["participants"])
            for one in found
        }
