"""One running stack: brought up in order, watched, taken down in the other order."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import sockets
from deploy.local.crew import Crew
from deploy.local.demo_desk import Desk, open_desk, open_mailboxes, people
from deploy.local.infra import PARTS, Addresses, Infra, InfraError
from deploy.local.issuer import issuer_url
from deploy.local.keys import ensure_keys
from deploy.local.provisioned import Provisioned
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
        await asyncio.gather(self._start_services(crew, ports), open_mailboxes(addresses.mail_api))
        print(f"  services ready: {', '.join(line.name for line in SERVICES)}", flush=True)
        return await open_desk(self.gateway, self.world)

    @property
    def gateway(self) -> str:
        """The URL of the REST API."""
        if self.crew is None:
            raise InfraError("nothing runs yet")
        return self.crew.members["gateway-0"].url

    async def _start_services(self, crew: Crew, ports: dict[str, int]) -> None:
        """Topics and indexes first; only where they are known to stand, beside the services' start."""
        stand = Provisioned(self.folder / "data")
        if not stand.known():
            await crew.provision()
        for line in SERVICES:
            crew.start(line.name, port=ports[line.name])
        await asyncio.gather(crew.until_ready(), *([crew.provision()] if stand.known() else []))
        stand.note()

    async def watch(self, stopping: asyncio.Event, changed: Callable[[], None]) -> None:
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
            extra={"MALOTE_CONSOLE_PEOPLE": json.dumps(people())},
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
