"""Wishes in MongoDB: settings changes on their way; ``_id`` is the tenant they are for and the request."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from contracts.event import AnyEvent
from services.gateway.domain.refusal import Refused
from services.gateway.ports import Wish
from services.kit.mongo import Collection, Document, key, translated
from services.kit.owed import owe
from services.kit.versioned import Speak

_WISH = TypeAdapter(Wish)
_REFUSED = TypeAdapter(Refused)


class MongoWishes:
    """See ``ports.Wishes``."""

    def __init__(self, collection: Collection, speak: Speak) -> None:
        self._collection, self._speak = collection, speak

    async def ask(self, wish: Wish, event: AnyEvent) -> None:
        """See the port."""
        doc_id = key(wish.target, wish.request_id)
        document = {"_id": doc_id, **_WISH.dump_python(wish), "owed_events": [owe(event)]}
        async with translated():
            await self._collection.insert_one(document)
        self._speak(doc_id, (event,))

    async def get(self, tenant: str, request_id: str) -> Wish | None:
        """See the port: ours, or one we asked for another tenant."""
        query = {"_id": key(tenant, request_id)}
        async with translated():
            document = await self._collection.find_one(query) or await self._elsewhere(tenant, request_id)
        return _WISH.validate_python(document) if document and document["tenant"] == tenant else None

    async def grant(self, target: str, request_id: str, version: int) -> None:
        """See the port."""
        await self._decide(target, request_id, {"granted": version})

    async def refuse(self, target: str, request_id: str, refused: Refused) -> None:
        """See the port."""
        await self._decide(target, request_id, {"refused": _REFUSED.dump_python(refused, mode="json")})

    async def _decide(self, target: str, request_id: str, outcome: dict[str, Any]) -> None:
        async with translated():
            await self._collection.update_one({"_id": key(target, request_id)}, {"$set": outcome})

    async def _elsewhere(self, tenant: str, request_id: str) -> Document | None:
        found: Document | None = await self._collection.find_one({"tenant": tenant, "request_id": request_id})
        return found
