"""MongoDB: the one place that names the driver, so that its successor is a small change (docs/decisions/0001)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import UpdateMany
from pymongo.errors import AutoReconnect, ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError
from pymongo.write_concern import WriteConcern

from services.kit.unavailable import Unanswered, Unavailable

Document: TypeAlias = dict[str, Any]
Client: TypeAlias = AsyncIOMotorClient[Document]
Database: TypeAlias = AsyncIOMotorDatabase[Document]
Collection: TypeAlias = AsyncIOMotorCollection[Document]

UNANSWERED = (AutoReconnect, ExecutionTimeout, WTimeoutError)
"""After one of these a write may have been applied."""


def connect(url: str, *, timeout_s: float = 10.0, repeats: bool = True) -> Client:
    """A client that reads and writes with majority, in UTC, and gives up on a lost server after ``timeout_s``.

    ``repeats``: the driver repeats a write once, and the server knows the repeat, for which it notes each statement in
    a collection of its own; without them every write whose answer is lost is Unanswered, and cheaper by a third.
    """
    milliseconds = int(timeout_s * 1000)
    return AsyncIOMotorClient(
        url, tz_aware=True, w="majority", readConcernLevel="majority", retryWrites=repeats,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=milliseconds, connectTimeoutMS=milliseconds, socketTimeoutMS=milliseconds,
    )  # fmt: skip


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turns the driver's connection errors into Unanswered and Unavailable; a refusal stays what it is."""
    try:
        yield
    except UNANSWERED as error:
        raise Unanswered(f"MongoDB did not answer: {type(error).__name__}") from error
    except ConnectionFailure as error:
        raise Unavailable(f"MongoDB is not reachable: {type(error).__name__}") from error
    except PyMongoError as error:
        if error.has_error_label("RetryableWriteError") or error.has_error_label("TransientTransactionError"):
            raise Unanswered(f"MongoDB could not finish: {type(error).__name__}") from error
        raise


async def write_each(collection: Collection, writes: Sequence[UpdateMany]) -> None:
    """One unordered bulk of writes to one document each that may well be applied twice. Raises Unanswered.

    ``UpdateMany`` keeps the driver from making the bulk retryable, for which the server notes each statement in a
    collection of its own: a third of the price of an update. So a lost answer is made good by one repeat here.
    """
    for left in (1, 0):
        try:
            async with translated():
                await collection.bulk_write([*writes], ordered=False)
            return
        except Unanswered:
            if not left:
                raise


def quick(collection: Collection) -> Collection:
    """The same collection for writes that may be lost: acknowledged by the primary alone."""
    return collection.with_options(write_concern=WriteConcern(w=1))


def key(tenant: str, *parts: str) -> str:
    """The ``_id`` of a document: the tenant first."""
    return "/".join((tenant, *parts))
