"""Acceptance, grouped: concurrent inserts share one unordered bulk, and the unique key names the repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pymongo.errors import BulkWriteError

from services.gateway.adapters.mongo_forms import message_form
from services.gateway.domain.message import Message
from services.gateway.ports import Key
from services.kit.coalesce import Coalescer
from services.kit.mongo import Collection, Document, translated

DUPLICATE: Final = 11_000
PACE_S: Final = 0.01
"""Under load groups begin so far apart: it halves the CPU of an acceptance, and who is alone never waits."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One message with its key and the event it owes, in Mongo's form."""

    message: Message
    key: Key
    owed: Document


class Inserts:
    """``submit`` says whether this call wrote the message."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._group: Coalescer[Acceptance, bool] = Coalescer(self._flush, limit=200, pace_s=PACE_S)

    async def submit(self, acceptance: Acceptance) -> bool:
        """False where the tenant's key (or the id) is taken. Raises Unanswered when nobody can tell."""
        return await self._group.submit(acceptance)

    async def _flush(self, group: list[Acceptance]) -> Sequence[bool]:
        documents = [
            {
                **message_form(one.message), "idempotency_key": one.key.value, "body_hash": one.key.body_hash,
                "owed_events": [one.owed],
            }
            for one in group
        ]  # fmt: skip
        taken: set[int] = set()
        try:
            async with translated():
                await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            taken = refuse_others(error)
        return [index not in taken for index in range(len(group))]


def refuse_others(error: BulkWriteError) -> set[int]:
    """The positions that were refused as repeats; any other refusal is raised."""
    refused = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors") or any(one["code"] != DUPLICATE for one in refused):
        raise error
    return {one["index"] for one in refused}
