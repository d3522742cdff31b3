"""The indexes of the outbox's database; all partial, so that what is done costs nothing (FINDINGS: 100,000 queued
documents cost the same as 1,000)."""

from __future__ import annotations

from typing import Final

from services.kit import owed
from services.kit.mongo import Collection, Database

MESSAGES: Final = "messages"
LANES: Final = "lanes"
STATUSES: Final = "smtp_status"
_HERE: Final = {"$exists": True}


async def ensure(database: Database) -> None:
    """Makes what is missing; safe to repeat. Raises pymongo's OperationFailure where one stands under another form."""
    await _messages(database[MESSAGES])
    await database[LANES].create_index([("next_due_at", 1)], name="due")
    await database[LANES].create_index([("owner", 1)], name="owner", partialFilterExpression={"owner": _HERE})
    await database[STATUSES].create_index([("proven_at", 1)], name="proven")
    await database[STATUSES].create_index(
        [("next_retry_at", 1)], name="retry", partialFilterExpression={"next_retry_at": _HERE}
    )
    await owed.index(database[STATUSES])


async def _messages(messages: Collection) -> None:
    await owed.index(messages)
    await messages.create_index(
        [("waits", 1), ("due_at", 1), ("_id", 1)], name="due", partialFilterExpression={"waits": _HERE}
    )
    await messages.create_index([("expires_at", 1)], name="expiry", partialFilterExpression={"waits": _HERE})
    await messages.create_index(
        [("transmission.until", 1)], name="open", partialFilterExpression={"transmission.until": _HERE}
    )
    await messages.create_index([("created_at", 1)], name="tombstones", partialFilterExpression={"status": "unseen"})
    await messages.create_index([("terminal_at", 1)], name="ended", partialFilterExpression={"terminal_at": _HERE})
    await messages.create_index(
        [("terminal_at", 1)], name="fat", partialFilterExpression={"terminal_at": _HERE, "raw": _HERE}
    )
