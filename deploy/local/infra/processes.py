"""The `processes` backend: real servers as child processes on loopback, no root and no Docker needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from deploy.local import sockets, tools
from deploy.local.infra.archive import ensure_archives
from deploy.local.infra.kafka import Kafka
from deploy.local.infra.mail import GreenMail, MailPorts
from deploy.local.infra.mongo import Mongo
from deploy.local.infra.ports import Addresses, InfraError, Options, Part

# What `make run` takes when it may choose nothing else; above the well-known ports, below the ephemeral ones.
FIXED = {
    "kafka": 29092,
    "kafka-controller": 29093,
    "mongo": 27027,
    "smtp": 3025,
    "smtps": 3465,
    "imap": 3143,
    "imaps": 3993,
    "mail-api": 8085,
}


@dataclass(slots=True)
class Processes:
    """Kafka, mongod and GreenMail under this process; dead with it, however it ends."""

    options: Options
    name: str = "processes"
    _running: dict[Part, Kafka | Mongo | GreenMail] = field(default_factory=dict, init=False)

    async def start(self) -> Addresses:
        """Fetch what is missing, test every port, start the parts side by side."""
        ports = FIXED if self.options.fixed_ports else {name: sockets.free_port() for name in FIXED}
        sockets.require_free(ports)
        await asyncio.to_thread(tools.prepare)
        await ensure_archives()
        self._running = {part: server for part, server in self._build(ports).items() if part in self.options.parts}
        try:
            await asyncio.gather(*(server.start() for server in self._running.values()))
        except BaseException:
            await self.stop()
            raise
        return _addresses(ports)

    async def stop(self) -> None:
        """Stop all side by side."""
        await asyncio.gather(*(server.stop() for server in self._running.values()))

    async def kill(self, part: Part) -> None:
        """SIGKILL one part."""
        await self._part(part).kill()

    async def restart(self, part: Part) -> None:
        """The same command again: same port, same folder."""
        await self._part(part).start()

    def pids(self) -> dict[str, int]:
        """Those that run now."""
        children = {part: server.child for part, server in self._running.items()}
        return {part: child.pid for part, child in children.items() if child and child.exit_code is None}

    def _part(self, part: Part) -> Kafka | Mongo | GreenMail:
        if part not in self._running:
            raise InfraError(f"{part} was not started")
        return self._running[part]

    def _build(self, ports: dict[str, int]) -> dict[Part, Kafka | Mongo | GreenMail]:
        folder, chosen = self.options.folder, self.options
        mail = MailPorts(ports["smtp"], ports["smtps"], ports["imap"], ports["imaps"], ports["mail-api"])
        broker = Kafka(folder / "kafka", ports["kafka"], ports["kafka-controller"], chosen.chaos, chosen.heap_mb)
        return {
            "kafka": broker,
            "mongo": Mongo(folder / "mongo", ports["mongo"]),
            "mail": GreenMail(folder / "mail", mail),
        }


def _addresses(ports: dict[str, int]) -> Addresses:
    return Addresses(
        kafka=f"{sockets.HOST}:{ports['kafka']}",
        mongo=f"mongodb://{sockets.HOST}:{ports['mongo']}/?replicaSet=rs0",
        smtp=(sockets.HOST, ports["smtp"]),
        smtps=(sockets.HOST, ports["smtps"]),
        imap=(sockets.HOST, ports["imap"]),
        imaps=(sockets.HOST, ports["imaps"]),
        mail_api=f"http://{sockets.HOST}:{ports['mail-api']}",
    )
