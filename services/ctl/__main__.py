"""``python -m services.ctl <command>``, installed as ``malote``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from services.ctl.provision import provision
from services.ctl.settings import Settings

_EXITS = "Exit codes: 0 done, 2 wrong command line, 3 refused (nothing was changed), 4 a server is not reachable."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    given = _parser().parse_args(arguments)
    return int(asyncio.run(provision(Settings(), wait_s=given.wait)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="malote", description="Malote for platform engineers.", epilog=_EXITS)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser(
        "provision", help="make topics and indexes; repeatable", epilog=_EXITS,
        description="Makes the topics (with their dead letters) and the indexes of every service. Reads MALOTE_KAFKA, "
        "MALOTE_MONGO, MALOTE_DB_PREFIX, MALOTE_PARTITION_DIVISOR and MALOTE_REPLICATION.",
    )  # fmt: skip
    make.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the servers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
