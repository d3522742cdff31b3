"""One change stream over the gateway's database, read in a thread of its own.

Motor hops to a thread for each change (FINDINGS, "Mongo"), which at full speed would cost a third of a core; here the
thread stays and hands over what has gathered. Writes that only pay what a document owed are left out by the server.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

from bson import Timestamp
from pymongo.errors import OperationFailure, PyMongoError

from services.gateway.domain.change import Change, Thing
from services.kit.mongo import Database, Document, translated

AWAIT_MS: Final = 500
GATHERED: Final = 5_000
"""So many wait for the loop at most; then the thread does."""
_LOST: Final = {260, 280, 286}
"""InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost: it cannot be resumed."""
THINGS: Final = {
    "messages": Thing.MESSAGE, "inbound": Thing.MESSAGE, "conversations": Thing.CONVERSATION,
    "quarantined": Thing.QUARANTINED, "channels": Thing.CHANNEL, "statuses": Thing.CHANNEL_STATUS,
    "signatures": Thing.SIGNATURE, "operators": Thing.OPERATOR, "tenants": Thing.TENANT, "wishes": Thing.REQUEST,
}  # fmt: skip
_NOT_OWED: Final = {"$not": [{"$regexMatch": {"input": "$$it.k", "regex": "^owed_events"}}]}
_SET: Final = {
    "$filter": {"input": {"$objectToArray": "$updateDescription.updatedFields"}, "as": "it", "cond": _NOT_OWED}
}
_SAYS_SOMETHING: Final = {
    "$or": [
        {"$ne": ["$operationType", "update"]}, {"$gt": [{"$size": _SET}, 0]},
        {"$gt": [{"$size": "$updateDescription.removedFields"}, 0]},
    ]
}  # fmt: skip
_PIPELINE: Final[list[Document]] = [
    {"$match": {"ns.coll": {"$in": list(THINGS)}, "operationType": {"$in": ["insert", "update", "replace", "delete"]}}},
    {"$match": {"$expr": _SAYS_SOMETHING}},
    {"$project": {"ns.coll": 1, "documentKey": 1, "clusterTime": 1, "fullDocument.conversation_id": 1}},
]


class Lost(Exception):
    """The stream cannot be continued where it ended: changes may have been missed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes in order; ``caught_up`` where there are no more at the moment; ``token`` continues behind them."""

    changes: tuple[Change, ...]
    caught_up: bool
    token: Document | None


@dataclass(slots=True)
class _Gathered:
    changes: list[Change] = field(default_factory=list)
    caught_up: bool = False
    token: Document | None = None
    error: Exception | None = None
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


async def operation_time(database: Database) -> int:
    """The database's time as a position."""
    async with translated():
        said = await database.command("ping")
    return position_of(said["operationTime"])


async def changes(database: Database, since: int, token: Document | None) -> AsyncIterator[Batch]:
    """Everything behind the token, or from the position on; at least one batch, maybe empty, every half second.

    Raises Lost, Unavailable.
    """
    loop, arrived, gathered = asyncio.get_running_loop(), asyncio.Event(), _Gathered()
    start: dict[str, Any] = {"resume_after": token} if token else {"start_at_operation_time": _timestamp(since)}

    def tell() -> None:
        if not gathered.stopped:
            loop.call_soon_threadsafe(arrived.set)

    thread = threading.Thread(target=_read, args=(database, start, gathered, tell), name="changes", daemon=True)
    thread.start()
    try:
        while True:
            await arrived.wait()
            arrived.clear()
            with gathered.lock:
                batch = Batch(tuple(gathered.changes), gathered.caught_up, gathered.token)
                gathered.changes.clear()
                error = gathered.error
            yield batch
            if error is not None:
                await _raise(error)
    finally:
        gathered.stopped = True


def _read(database: Database, start: dict[str, Any], into: _Gathered, tell: Any) -> None:
    try:
        with database.delegate.watch(_PIPELINE, max_await_time_ms=AWAIT_MS, **start) as stream:
            while not into.stopped:
                found = stream.try_next()
                if not stream.alive:  # the database itself was dropped
                    raise Lost
                with into.lock:
                    if found is not None:
                        into.changes.append(change_of(found))
                    into.caught_up, into.token = found is None, stream.resume_token
                    many = len(into.changes) >= GATHERED
                tell()
                if many:
                    time.sleep(0.01)
    except Exception as error:
        into.error = error
        tell()


async def _raise(error: Exception) -> None:
    code = error.code if isinstance(error, OperationFailure) else None
    if isinstance(error, Lost):
        raise error
    if code in _LOST or (isinstance(error, PyMongoError) and error.has_error_label("NonResumableChangeStreamError")):
        raise Lost from error
    async with translated():
        raise error


def change_of(found: Document) -> Change:
    """One change as the feed has it."""
    tenant, _, rest = found["documentKey"]["_id"].partition("/")
    kind, position = THINGS[found["ns"]["coll"]], position_of(found["clusterTime"])
    thing_id = rest.partition("/")[0]
    conversation = thing_id if kind is Thing.CONVERSATION else found.get("fullDocument", {}).get("conversation_id")
    name = thing_id if kind is not Thing.TENANT else tenant
    return Change(tenant, kind, name, position, conversation_id=conversation)


def position_of(moment: Timestamp) -> int:
    """A cluster time as one number that JavaScript can hold: no two writes have the same."""
    return moment.time << 20 | min(moment.inc, (1 << 20) - 1)


def _timestamp(position: int) -> Timestamp:
    return Timestamp(position >> 20, position & ((1 << 20) - 1))
