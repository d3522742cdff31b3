"""The indexes of the gateway's database."""

from __future__ import annotations

from typing import Any, Final

from services.kit import owed
from services.kit.mongo import Database

OPEN: Final = "open"
UNREAD_FIRST: Final = "unread_first"
ATTENTION: Final = "attention"
ASIDE: Final = "tenant"
WISH_LIFE_S: Final = 7 * 86_400


async def ensure(database: Database) -> None:
    """Makes what is missing; repeatable."""
    for name in ("messages", "conversations", "operators", "wishes"):
        await owed.index(database[name])
    messages, conversations = database["messages"], database["conversations"]
    await messages.create_index([("tenant", 1), ("idempotency_key", 1)], name="key", unique=True)
    talk = [("tenant", 1), ("conversation_id", 1)]
    await messages.create_index([*talk, ("accepted_at", -1), ("message_id", -1)], name="timeline")
    await messages.create_index([("tenant", 1), ("expires_at", 1)], name=OPEN, partialFilterExpression={"open": True})
    unread_first = [("has_unread", -1), ("last_at", -1), ("_id", -1)]
    await conversations.create_index([("tenant", 1), *unread_first], name=UNREAD_FIRST)
    await conversations.create_index([("tenant", 1), ("channel_id", 1), *unread_first], name="of_channel")
    troubled = {"has_trouble": True}
    await conversations.create_index([("tenant", 1), *unread_first], name=ATTENTION, partialFilterExpression=troubled)
    await conversations.create_index([("tenant", 1), ("words", 1)], name="words")
    await conversations.create_index([("tenant", 1), ("authors", 1)], name="authors")
    await database["inbound"].create_index([*talk, ("at", -1), ("message_id", -1)], name="timeline")
    aside = [("tenant", 1), ("channel_id", 1), ("received_at", -1), ("message_id", -1)]
    await database["quarantined"].create_index(aside, name="channel")
    unhidden: dict[str, Any] = {"partialFilterExpression": {"hidden": False}}
    await database["quarantined"].create_index([aside[0], *aside[2:]], name=ASIDE, **unhidden)
    for name in ("inbound", "quarantined"):
        await database[name].create_index([("tenant", 1), ("blobs", 1)], name="blobs")
    shown = "fields.images.blob_id"
    await database["signatures"].create_index([("tenant", 1), (shown, 1)], name="images", sparse=True)
    for name in ("uploads", "drafts"):
        await database[name].create_index("expires_at", name="life", expireAfterSeconds=0)
    await database["wishes"].create_index([("tenant", 1), ("request_id", 1)], name="asked")
    await database["wishes"].create_index("at", name="life", expireAfterSeconds=WISH_LIFE_S)
    for name in ("operators", "channels"):
        await database[name].create_index([("tenant", 1), ("_id", 1)], name="tenant")
