"""`make run`: the whole product on this machine under one runner, until Ctrl-C.

Servers side by side → topics and indexes → token issuer and services, polled on /readyz → the demonstration desk. Stops
in the other order. Everything lives in `.local/` (MALOTE_LOCAL); MALOTE_PORTS=free chooses ports instead of the fixed,
MALOTE_FOLLOW=make ends the runner, too, when the `make` above it is killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import sockets, tools
from deploy.local.crew import Crew
from deploy.local.demo_desk import Desk, open_desk, open_mailboxes
from deploy.local.exec_child import follow
from deploy.local.infra import PARTS, Addresses, Infra, InfraError, Options, backend_name, open_infra
from deploy.local.issuer import issuer_url
from deploy.local.keys import ensure_keys
from deploy.local.roster import SERVICES, World

GATEWAY_PORT, ISSUER_PORT, PROBE_PORT = 8080, 8090, 8101
_WATCH_S = 0.5


@dataclass(slots=True)
class Runner:
    """One running stack; `folder` is `.local/`."""

    folder: Path
    infra: Infra
    fixed_ports: bool
    crew: Crew | None = None
    world: World | None = None

    async def start(self) -> Desk:
        """Bring everything up; raises `InfraError` with what to do."""
        ports = self._service_ports()
        sockets.require_free(ports)
        addresses = await self.infra.start()
        print(f"  servers ready: Kafka {addresses.kafka}, MongoDB and mail ({self.infra.name})", flush=True)
        self.world = self._world(addresses, ports["issuer"])
        self.crew = crew = Crew(self.world, _fresh(self.folder / "logs"))
        crew.start_issuer(ports["issuer"])
        await asyncio.gather(crew.provision(), open_mailboxes(addresses.mail_api))
        for line in SERVICES:
            crew.start(line.name, port=ports[line.name])
        await crew.until_ready()
        print(f"  services ready: {', '.join(line.name for line in SERVICES)}", flush=True)
        return await open_desk(self.gateway, self.world)

    @property
    def gateway(self) -> str:
        """The URL of the REST API."""
        if self.crew is None:
            raise InfraError("nothing runs yet")
        return self.crew.members["gateway-0"].url

    async def watch(self, stopping: asyncio.Event, changed: Any) -> None:
        """Start again what crashed until asked to stop; calls `changed` when process ids moved."""
        known = self.pids()
        while not stopping.is_set():
            for name in (self.crew.revive() if self.crew else []) + await self._revive_servers():
                print(f"  {name} ended unexpectedly; starting it again", flush=True)
            if (now := self.pids()) != known:
                known = now
                changed()
            try:
                await asyncio.wait_for(stopping.wait(), _WATCH_S)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Services first, then the servers."""
        if self.crew:
            await self.crew.stop()
        await self.infra.stop()

    def pids(self) -> dict[str, int]:
        """Every process under this runner, and itself."""
        return {"runner": os.getpid(), **self.infra.pids(), **(self.crew.pids() if self.crew else {})}

    async def _revive_servers(self) -> list[str]:
        if self.infra.name != "processes" or self.world is None:
            return []
        ended = [part for part in PARTS if part not in self.infra.pids()]
        for part in ended:
            await self.infra.restart(part)
            if part == "mail":
                await open_mailboxes(self.world.addresses.mail_api)
        return list(ended)

    def _service_ports(self) -> dict[str, int]:
        names = ["gateway", "issuer", *(line.name for line in SERVICES if line.name != "gateway")]
        if not self.fixed_ports:
            return {name: sockets.free_port() for name in names}
        return dict(zip(names, (GATEWAY_PORT, ISSUER_PORT, *range(PROBE_PORT, PROBE_PORT + len(names))), strict=False))

    def _world(self, addresses: Addresses, issuer_port: int) -> World:
        ca_file = self.folder / "data" / "mail" / "ca.pem"
        return World(
            addresses=addresses,
            keys=ensure_keys(self.folder / "keys"),
            issuer=issuer_url(issuer_port),
            ca_file=ca_file if ca_file.exists() else None,
        )


def _fresh(logs: Path) -> Path:
    """An empty folder for logs; those of the run before stay beside it."""
    before = logs.with_name("logs.before")
    shutil.rmtree(before, ignore_errors=True)
    if logs.exists():
        logs.rename(before)
    logs.mkdir()
    return logs


def run_file(runner: Runner, desk: Desk) -> dict[str, Any]:
    """What `.local/run.json` says: enough for a script, or `make demo`, to use the stack."""
    assert runner.world is not None
    to = runner.world.addresses
    return {
        "ready": True,
        "backend": runner.infra.name,
        "gateway": runner.gateway,
        "issuer": runner.world.issuer,
        "kafka": to.kafka,
        "mongo": to.mongo,
        "smtp": {"host": to.smtp[0], "port": to.smtp[1], "tls_port": to.smtps[1]},
        "imap": {"host": to.imap[0], "port": to.imap[1], "tls_port": to.imaps[1]},
        "mail_api": to.mail_api,
        "pids": runner.pids(),
        **desk.described(),
    }


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
    report.unlink(missing_ok=True)
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
        if os.environ.get("MALOTE_FOLLOW") == "make":
            follow(os.getppid(), signal.SIGTERM)
        with _alone(tools.local_folder()):
            asyncio.run(run())
    except InfraError as failed:
        sys.exit(f"make run: {failed}")


if __name__ == "__main__":
    main()
