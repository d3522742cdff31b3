"""Makes one fresh mongod a replica set and waits until it may be written to: `python replica_set.py HOST:PORT`.

For compose, where the node's name is the one inside its network; stands alone, so that only this file is mounted.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import pymongo
from pymongo.errors import OperationFailure

_ALREADY_INITIALISED = 23


def main(member: str) -> None:
    """Initiate unless it was; a repeat changes nothing."""
    with pymongo.MongoClient[dict[str, Any]](f"mongodb://{member}/?directConnection=true") as client:
        try:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": member}]})
        except OperationFailure as refused:
            if refused.code != _ALREADY_INITIALISED:
                raise
        while not client.admin.command("hello").get("isWritablePrimary"):
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1])
