"""The indexes of signature's database; everything else is found by ``_id`` or its prefix."""

from __future__ import annotations

from services.kit import owed, rejections
from services.kit.mongo import Database


async def ensure(database: Database) -> None:
    """Makes what is missing; repeatable."""
    for name in ("signatures", "requests"):
        await owed.index(database[name])
    await database["signatures"].create_index(
        "images_due_at", name="images", partialFilterExpression={"images_due_at": {"$type": "date"}}
    )
    await rejections.index(database["requests"])
