"""Mails that arrived, in MongoDB; inserts and looks are grouped, and the id refuses the repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pymongo.errors import BulkWriteError

from services.gateway.adapters import mongo_forms as forms
from services.gateway.adapters.indexes import ASIDE
from services.gateway.adapters.mongo_accept import refuse_others
from services.gateway.adapters.mongo_pages import behind, cut_of
from services.gateway.domain.inbound import Inbound, Quarantined
from services.gateway.domain.page import Cut, Page
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, key, translated

GROUP: Final = 50
"""Mails with two bodies of 64 KiB each: a bulk stays far below what one write may hold."""
_NEWEST: Final = [("at", -1), ("message_id", -1)]


class MongoArrivals:
    """See ``ports.Arrivals``."""

    def __init__(self, mails: Collection, aside: Collection) -> None:
        self._mails, self._aside = mails, aside
        self._looks: Coalescer[str, bool] = Coalescer(self._look, limit=200)
        self._inserts: Coalescer[Document, None] = Coalescer(self._insert, limit=GROUP)

    async def knows(self, tenant: str, message_id: str) -> bool:
        """See the port."""
        return await self._looks.submit(key(tenant, message_id))

    async def keep(self, mail: Inbound) -> None:
        """See the port."""
        await self._inserts.submit(forms.inbound_form(mail))

    async def get(self, tenant: str, message_id: str) -> Inbound | None:
        """See the port."""
        async with translated():
            document = await self._mails.find_one({"_id": key(tenant, message_id)})
        return forms.inbound_of(document) if document else None

    async def of_conversation(self, tenant: str, conversation_id: str, cut: Cut) -> Page[Inbound]:
        """See the port."""
        query: Document = {"tenant": tenant, "conversation_id": conversation_id, "hidden": False, **behind(cut, "at")}
        async with translated():
            found = await self._mails.find(query).sort(_NEWEST).limit(cut.limit + 1).to_list(None)
        return cut_of([forms.inbound_of(one) for one in found], cut, lambda one: (one.at.isoformat(), one.message_id))

    async def hide(self, tenant: str, message_id: str) -> Inbound | None:
        """See the port."""
        async with translated():
            document = await self._mails.find_one_and_update(
                {"_id": key(tenant, message_id)}, {"$set": {"hidden": True}}, return_document=True
            )
        return forms.inbound_of(document) if document else None

    async def set_aside(self, mail: Quarantined) -> None:
        """See the port."""
        form = forms.quarantined_form(mail)
        async with translated():
            await self._aside.update_one({"_id": form.pop("_id")}, {"$setOnInsert": form}, upsert=True)

    async def aside(self, tenant: str, channel_id: str | None, cut: Cut) -> Page[Quarantined]:
        """See the port."""
        query: Document = {"tenant": tenant, "hidden": False, **behind(cut, "received_at")}
        query |= {"channel_id": channel_id} if channel_id else {}
        order = [("received_at", -1), ("message_id", -1)]
        async with translated():
            documents = await self._aside.find(query).sort(order).limit(cut.limit + 1).to_list(None)
        found = [forms.quarantined_of(one) for one in documents]
        return cut_of(found, cut, lambda one: (one.received_at.isoformat(), one.message_id))

    async def hide_aside(self, tenant: str, message_id: str) -> Quarantined | None:
        """See the port."""
        async with translated():
            document = await self._aside.find_one_and_update(
                {"_id": key(tenant, message_id)}, {"$set": {"hidden": True}}, return_document=True
            )
        return forms.quarantined_of(document) if document else None

    async def count_aside(self, tenant: str, most: int) -> int:
        """See the port."""
        query = {"tenant": tenant, "hidden": False}
        async with translated():
            return await self._aside.count_documents(query, limit=most, hint=ASIDE)

    async def _look(self, group: Sequence[str]) -> Sequence[bool]:
        async with translated():
            found = await self._mails.find({"_id": {"$in": [*{*group}]}}, {"_id": 1}).to_list(None)
        known = {document["_id"] for document in found}
        return [doc_id in known for doc_id in group]

    async def _insert(self, group: Sequence[Document]) -> Sequence[None]:
        try:
            async with translated():
                await self._mails.insert_many(group, ordered=False)
        except BulkWriteError as error:
            refuse_others(error)
        return [None] * len(group)
