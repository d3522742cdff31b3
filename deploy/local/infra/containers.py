"""The `containers` backend: the same servers by testcontainers, from public images or stand-ins (deploy/images)."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.errors import DockerException

from deploy.local import sockets
from deploy.local.infra import engine
from deploy.local.infra.container_parts import Kafka, Mail, Mongo, Place, Server
from deploy.local.infra.ports import Addresses, InfraError, Options, Part
from deploy.local.infra.processes import FIXED

_KINDS: dict[Part, Callable[[Options, Place], Server]] = {"kafka": Kafka, "mongo": Mongo, "mail": Mail}


@dataclass(slots=True)
class Containers:
    """Kafka, mongod and GreenMail in an engine. A run that is killed leaves them; the next start removes them."""

    options: Options
    name: str = "containers"
    _running: dict[Part, Server] = field(default_factory=dict, init=False)

    async def start(self) -> Addresses:
        """Sweep what dead runs left, choose the ports, start the parts side by side."""
        ports = FIXED if self.options.fixed_ports else {name: sockets.free_port() for name in FIXED}
        sockets.require_free(ports)
        try:
            await asyncio.to_thread(self._create, ports)
            await _all(*(_in_thread(server, server.start) for server in self._running.values()))
        except BaseException:
            await self.stop()
            raise
        return _addresses(ports)

    async def stop(self) -> None:
        """Remove the containers, their last output kept in the folder; the data's volumes stay with the folder."""
        running, self._running = self._running, {}
        await _all(*(asyncio.to_thread(self._stop, part, server) for part, server in running.items()))

    async def kill(self, part: Part) -> None:
        """SIGKILL one part."""
        server = self._part(part)
        await _in_thread(server, server.kill)

    async def restart(self, part: Part) -> None:
        """The same container again."""
        server = self._part(part)
        await _in_thread(server, server.revive)

    def pids(self) -> dict[str, int]:
        """None of this machine's: the engine may be elsewhere."""
        return {}

    def _create(self, ports: Mapping[str, int]) -> None:
        client = engine.connect()
        try:
            engine.sweep(client)
            place = self._place(ports)
            for part in ("kafka", "mongo"):
                engine.volume(client, f"{place.volumes}-{part}", self._state)
        finally:
            client.close()
        self._running = {part: _KINDS[part](self.options, place) for part in self.options.parts}

    @property
    def _state(self) -> Path:
        return self.options.folder / "containers.json"

    def _place(self, ports: Mapping[str, int]) -> Place:
        """The volumes belong to the folder: a fresh folder has fresh data."""
        self.options.folder.mkdir(parents=True, exist_ok=True)
        if not self._state.exists():
            self._state.write_text(json.dumps({"id": uuid.uuid4().hex}))
        known = uuid.UUID(json.loads(self._state.read_text())["id"])
        return Place(ports, f"malote-{known.hex}", base64.urlsafe_b64encode(known.bytes).decode().rstrip("="))

    def _part(self, part: Part) -> Server:
        if part not in self._running:
            raise InfraError(f"{part} was not started")
        return self._running[part]

    def _stop(self, part: Part, server: Server) -> None:
        output = _tail(server, 5000)
        if output:
            (self.options.folder / f"{part}.out").write_bytes(output)
        server.stop()


async def _all(*works: Awaitable[None]) -> None:
    """Wait for all even when one fails: a container that is still being made could not be removed."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def _in_thread(server: Server, action: Callable[[], object]) -> None:
    """The library blocks. Its failures are told with the end of the container's output."""
    try:
        await asyncio.to_thread(action)
    except (DockerException, TimeoutError, RuntimeError) as failed:
        tail = _tail(server, 12).decode(errors="replace")
        raise InfraError(f"{server.image}: {failed}\n{tail}") from failed


def _tail(server: Server, lines: int) -> bytes:
    try:
        logs: bytes = server.get_wrapped_container().logs(tail=lines)
    except (DockerException, RuntimeError):
        return b""  # it never came to be
    return logs


def _addresses(ports: Mapping[str, int]) -> Addresses:
    host = sockets.HOST
    return Addresses(
        kafka=f"{host}:{ports['kafka']}",
        mongo=f"mongodb://{host}:{ports['mongo']}/?replicaSet=rs0",
        smtp=(host, ports["smtp"]),
        smtps=(host, ports["smtps"]),
        imap=(host, ports["imap"]),
        imaps=(host, ports["imaps"]),
        mail_api=f"http://{host}:{ports['mail-api']}",
    )
