"""The collections and indexes of ingest's database."""

from __future__ import annotations

from typing import Final

from services.kit import owed
from services.kit.mongo import Database

CURSORS: Final = "cursors"
LEDGER: Final = "ledger"
STATUSES: Final = "imap_status"
OWN_MAILS: Final = "own_mails"
CONVERSATIONS: Final = "conversations"
TENANTS: Final = "tenants"
COPIES: Final = "sent_copies"


async def ensure(database: Database) -> None:
    """Makes what is missing; safe to repeat. Raises pymongo's OperationFailure where one stands under another form."""
    await database[LEDGER].create_index("until", name="life", expireAfterSeconds=0)
    await database[OWN_MAILS].create_index("until", name="life", expireAfterSeconds=0)
    await database[COPIES].create_index("due_at", name="due")
    await database[COPIES].create_index("until", name="life", expireAfterSeconds=0)
    await database[TENANTS].create_index("fields.email_enabled", name="enabled")
    connected = {"state": "connected"}
    await database[STATUSES].create_index("proven_at", name="connected", partialFilterExpression=connected)
    await owed.index(database[STATUSES])
