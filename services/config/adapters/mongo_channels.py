"""Channels in MongoDB: one document each, the secrets sealed as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from contracts.event import AnyEvent
from services.config.domain.channel import Channel, Secret, Secrets, Server, Settings
from services.config.domain.outcome import Recent
from services.kit.mongo import Collection, key, translated
from services.kit.versioned import Speak, VersionedDocuments

FORGET_AFTER_MS: Final = 30 * 86_400_000


class MongoChannels:
    """See ``ports.Channels``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._documents = collection, VersionedDocuments(collection, "config", speak)

    async def read(self, tenant: str, channel_id: str) -> Channel | None:
        """See the port."""
        held = await self._documents.read(key(tenant, channel_id))
        return _channel(held.fields, held.version) if held else None

    async def write(self, tenant: str, channel: Channel, owed: AnyEvent) -> bool:
        """See the port."""
        fields = asdict(channel)
        beside = {"tenant": tenant, "removed_at": channel.changed_at if channel.removed else None}
        doc_id = key(tenant, channel.channel_id)
        return await self._documents.write(doc_id, channel.version, fields, (owed,), **beside)

    async def forgettable(self, limit: int) -> Sequence[tuple[str, str]]:
        """See the port; old by the database's clock."""
        old = {"$lt": ["$removed_at", {"$subtract": ["$$NOW", FORGET_AFTER_MS]}]}
        query = {"removed_at": {"$type": "date"}, "owed_events": [], "$expr": old}
        async with translated():
            found = await self._collection.find(query, {"_id": 1}).limit(limit).to_list(None)
        parts = (document["_id"].partition("/") for document in found)
        return [(tenant, channel_id) for tenant, _, channel_id in parts]

    async def forget(self, tenant: str, channel_id: str) -> None:
        """See the port."""
        async with translated():
            await self._collection.delete_one({"_id": key(tenant, channel_id), "removed_at": {"$type": "date"}})


def _channel(fields: Mapping[str, Any], version: int) -> Channel:
    settings, secrets = fields["settings"], fields["secrets"]
    built = {
        "settings": Settings(Server(**settings["imap"]), Server(**settings["smtp"]), settings["rest"]),
        "secrets": Secrets(_secret(secrets["imap"]), _secret(secrets["smtp"])),
        "recent": Recent(tuple(fields["recent"]["ids"])),
        "version": version,
    }
    return Channel(**{**fields, **built})


def _secret(stored: Mapping[str, Any] | None) -> Secret | None:
    return Secret(**stored) if stored else None
