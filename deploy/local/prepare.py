"""`python -m deploy.local.prepare`: fetch the servers, record their class archives, so that a later start is warm."""

from __future__ import annotations

import asyncio
import sys

from deploy.local import tools
from deploy.local.infra.archive import ensure_archives
from deploy.local.infra.ports import InfraError


def main() -> None:
    """Say where they lie, or what is missing."""
    try:
        if lacking := tools.missing():
            raise InfraError("this machine lacks:\n  " + "\n  ".join(lacking))
        print(f"servers in {tools.prepare()}")
        asyncio.run(ensure_archives())
    except InfraError as failed:
        sys.exit(f"prepare: {failed}")


if __name__ == "__main__":
    main()
