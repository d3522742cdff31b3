"""Tenants and their slots in MongoDB."""

from __future__ import annotations

from dataclasses import asdict

from contracts.event import AnyEvent
from services.config.domain.outcome import Recent
from services.config.domain.tenant import Slots, Tenant
from services.kit.mongo import Collection, key
from services.kit.versioned import Speak, VersionedDocuments


class MongoTenants:
    """See ``ports.Tenants``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._documents = VersionedDocuments(collection, "config", speak)

    async def read(self, tenant: str) -> Tenant | None:
        """See the port."""
        held = await self._documents.read(key(tenant, "tenant"))
        if held is None:
            return None
        recent = Recent(tuple(held.fields["recent"]["ids"]))
        return Tenant(**{**held.fields, "recent": recent, "version": held.version})

    async def write(self, tenant: str, state: Tenant, owed: AnyEvent) -> bool:
        """See the port."""
        return await self._documents.write(key(tenant, "tenant"), state.version, asdict(state), (owed,), tenant=tenant)


class MongoSlots:
    """See ``ports.SlotStore``."""

    def __init__(self, collection: Collection) -> None:
        self._documents = VersionedDocuments(collection, "config")

    async def read(self, tenant: str) -> Slots:
        """See the port."""
        held = await self._documents.read(key(tenant, "slots"))
        return Slots(tuple(held.fields["channel_ids"]), held.version) if held else Slots()

    async def write(self, tenant: str, slots: Slots) -> bool:
        """See the port."""
        fields = {"channel_ids": list(slots.channel_ids)}
        return await self._documents.write(key(tenant, "slots"), slots.version, fields, tenant=tenant)
