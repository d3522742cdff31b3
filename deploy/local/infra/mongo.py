"""A one-node MongoDB replica set: mongod out of a wheel. Flags and traps: FINDINGS, "mongod without Docker"."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import OperationFailure

from deploy.local import sockets, tools
from deploy.local.children import Child, kill, spawn, stop
from deploy.local.infra.ports import InfraError

_SET = "rs0"
_NOT_YET_INITIALISED = 94
_FLAGS = ("--bind_ip", sockets.HOST, "--replSet", _SET, "--wiredTigerCacheSizeGB", "1", "--oplogSize", "64")
_QUIET = ("--nounixsocket", "--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false")


@dataclass(slots=True)
class Mongo:
    """The database of one data folder; the port stays the same over kill and restart."""

    folder: Path
    port: int
    child: Child | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """What clients connect to; open them after `start` only, a set must exist before a client's first look."""
        return f"mongodb://{sockets.HOST}:{self.port}/?replicaSet={_SET}"

    async def start(self) -> None:
        """Start, initiate the set when new, return when it is primary. Raises `InfraError` with the log's end."""
        place = self.folder / "db"
        place.mkdir(parents=True, exist_ok=True)
        command = [str(tools.mongod()), "--dbpath", str(place), "--port", str(self.port), *_FLAGS, *_QUIET]
        self.child = child = spawn("mongo", command, self.folder / "mongod.out")
        if not await sockets.until_answers(self.port, 60, lambda: child.exit_code is None):
            raise InfraError(f"mongod did not start:\n{child.tail(4)}")
        await asyncio.to_thread(become_primary, self.port)

    async def stop(self) -> None:
        """SIGTERM; mongod writes a checkpoint and ends."""
        if self.child:
            await stop(self.child, 20)

    async def kill(self) -> None:
        """SIGKILL."""
        if self.child:
            await kill(self.child)


def become_primary(port: int) -> None:
    """Initiate, or follow a moved port, and wait until the one node may be written to."""
    member = f"{sockets.HOST}:{port}"
    with pymongo.MongoClient[dict[str, Any]](f"mongodb://{member}/?directConnection=true") as client:
        _agree_on(client, member)
        deadline = time.monotonic() + 30
        while not client.admin.command("hello").get("isWritablePrimary"):
            if time.monotonic() > deadline:
                raise InfraError("mongod did not become primary within 30 s")
            time.sleep(0.05)


def _agree_on(client: pymongo.MongoClient[dict[str, Any]], member: str) -> None:
    members = [{"_id": 0, "host": member}]
    try:
        known = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as refused:
        if refused.code != _NOT_YET_INITIALISED:
            raise
        # A majority of one never waits for others: the shortest election there is.
        settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 500}
        client.admin.command("replSetInitiate", {"_id": _SET, "members": members, "settings": settings})
        return
    if known["members"][0]["host"] != member:
        moved = {**known, "members": members, "version": known["version"] + 1}
        client.admin.command("replSetReconfig", moved, force=True)
