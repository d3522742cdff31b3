"""`make run`: the whole product on this machine under one runner, until Ctrl-C.

Servers side by side → topics and indexes → token issuer and services, polled on /readyz → the demonstration desk. Stops
in the other order. Everything lives in `.local/` (MALOTE_LOCAL); MALOTE_PORTS=free chooses ports instead of the fixed,
MALOTE_FOLLOW=PID (our parent, `make`) ends the runner, too, when that is killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import tools
from deploy.local.api import Differs
from deploy.local.exec_child import follow
from deploy.local.infra import InfraError, Options, backend_name, open_infra
from deploy.local.runner import Runner, run_file


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, for the owner alone: it holds tokens."""
    fresh = path.with_suffix(".fresh")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(content, out, indent=2)
    fresh.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One runner a folder: two would share data."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            raise InfraError(f"another `make run` is using {folder}") from taken
        yield


async def run() -> None:
    """Everything from the checks to the last child's end."""
    folder, started, stopping = tools.local_folder(), time.monotonic(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    fixed = os.environ.get("MALOTE_PORTS") != "free"
    infra = open_infra(Options(folder / "data", fixed_ports=fixed))
    runner, report = Runner(folder, infra, fixed), folder / "run.json"
    starting = asyncio.ensure_future(runner.start())
    asked_to_stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({starting, asked_to_stop}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            desk = starting.result()
            _write(report, run_file(runner, desk))
            print(desk.greeting(runner.gateway, time.monotonic() - started, report), flush=True)
            await runner.watch(stopping, lambda: _write(report, run_file(runner, desk)))
    finally:
        report.unlink(missing_ok=True)
        for task in (starting, asked_to_stop):
            task.cancel()
        await asyncio.gather(starting, asked_to_stop, return_exceptions=True)
        print("stopping", flush=True)
        await runner.stop()


def main() -> None:
    """Check first, then run; a failure is one clear text and exit code 1."""
    try:
        backend = backend_name()
        print(f"Malote, local stack. Servers: {backend} (MALOTE_INFRA). Ctrl-C ends it.", flush=True)
        if backend == "processes" and (lacking := tools.missing()):
            raise InfraError("this machine lacks:\n  " + "\n  ".join(lacking))
        if above := os.environ.get("MALOTE_FOLLOW"):
            follow(int(above), signal.SIGTERM)
        with _alone(tools.local_folder()):
            (tools.local_folder() / "run.json").unlink(missing_ok=True)  # of a run that was killed
            if backend == "processes" and not tools.prepared():
                print("  fetching the servers, once", flush=True)
                tools.prepare()
            asyncio.run(run())
    except (InfraError, Differs) as failed:
        sys.exit(f"make run: {failed}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
