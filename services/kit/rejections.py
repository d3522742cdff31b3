"""Refused wishes with their answers, owed like any event and kept 7 days so that a repeated wish is answered alike."""

from __future__ import annotations

from typing import Final

from contracts.event import AnyEvent
from services.kit.mongo import Collection, key
from services.kit.owed import owe, owed_event
from services.kit.versioned import Speak, VersionedDocuments

KEPT_S: Final = 7 * 86_400


class MongoRejections:
    """One document per refused wish; ``source`` is the service that answers."""

    def __init__(self, collection: Collection, source: str, speak: Speak) -> None:
        self._source, self._documents = source, VersionedDocuments(collection, source, speak)

    async def read(self, tenant: str, request_id: str) -> AnyEvent | None:
        """The answer this wish was given, or None."""
        held = await self._documents.read(key(tenant, request_id))
        return owed_event(tenant, held.fields["answer"], self._source) if held else None

    async def write(self, tenant: str, request_id: str, answer: AnyEvent) -> None:
        """Stores the answer and owes it; an answer that is there already stays."""
        await self._documents.write(key(tenant, request_id), 1, {"answer": owe(answer)}, (answer,), at=answer.time)


async def index(collection: Collection) -> None:
    """The one that lets answers end."""
    await collection.create_index("at", name="ends", expireAfterSeconds=KEPT_S)
