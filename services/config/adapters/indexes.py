"""The indexes of config's database."""

from __future__ import annotations

from services.kit import owed, rejections
from services.kit.mongo import Database


async def ensure(database: Database) -> None:
    """Makes what is missing; repeatable."""
    for name in ("channels", "tenants", "requests"):
        await owed.index(database[name])
    await rejections.index(database["requests"])
    removed = {"removed_at": {"$type": "date"}}
    await database["channels"].create_index("removed_at", name="removed", partialFilterExpression=removed)
