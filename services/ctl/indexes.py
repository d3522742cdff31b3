"""The indexes of every service, each declared beside the adapter that needs it; the one import across services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Final

from services.kit.mongo import Client, Database

Ensure = Callable[[Database], Awaitable[None]]

DECLARED: Final[Mapping[str, str]] = {
    "config": "services.config.adapters.indexes",
    "signature": "services.signature.adapters.indexes",
    "ingest": "services.ingest.adapters.indexes",
    "outbox": "services.outbox.adapters.indexes",
    "gateway": "services.gateway.adapters.indexes",
    "blobs": "services.kit.blobs",
}
"""Database (after the prefix) → the module with ``async def ensure(database)``."""


async def ensure_all(client: Client, name_of: Callable[[str], str]) -> list[str]:
    """Makes what is missing in every database; the names of the databases."""
    for database, module in DECLARED.items():
        ensure: Ensure = import_module(module).ensure
        await ensure(client[name_of(database)])
    return [name_of(database) for database in DECLARED]
