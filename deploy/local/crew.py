"""The services of one stack as child processes: started, watched on /readyz, killed, started again, stopped."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.local import children, roster, sockets
from deploy.local.children import Child
from deploy.local.infra.ports import InfraError
from deploy.local.roster import World, environment
from deploy.local.tools import ROOT

_GRACE_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _STEADY_S = 0.5, 15.0, 30.0


@dataclass(slots=True)
class Member:
    """One instance; `wanted` is false while somebody stopped or killed it on purpose."""

    instance: str
    port: int
    command: list[str]
    environment: Mapping[str, str]
    child: Child
    started: float
    wanted: bool = True
    pause_s: float = _FIRST_PAUSE_S
    pauses_until: float = 0.0

    @property
    def url(self) -> str:
        """Where it serves its probes, and the gateway its REST."""
        return f"http://{sockets.HOST}:{self.port}"


@dataclass(slots=True)
class Crew:
    """All instances of one stack by name ("outbox-0"); logs go to `<logs>/<instance>.log`."""

    world: World
    logs: Path
    members: dict[str, Member] = field(default_factory=dict)

    async def provision(self) -> None:
        """Topics and indexes, `python -m services.ctl provision`; raises `InfraError` with the log's end."""
        command = [sys.executable, "-m", "services.ctl", "provision"]
        child = children.spawn("provision", command, self.logs / "provision.log", self.world.common_environment())
        if not await children.ended(child, 120) or child.exit_code:
            await children.kill(child)
            raise InfraError(f"provisioning failed ({child.exit_code}):\n{child.tail()}")

    def start_issuer(self, port: int) -> None:
        """The local token issuer, one more member."""
        command = [sys.executable, "-m", "deploy.local.issuer", str(self.world.keys.issuer), str(port)]
        self._start("issuer", port, command, {"PYTHONPATH": str(ROOT)})

    def start(
        self, service: str, replica: int = 0, port: int | None = None, extra: Mapping[str, str] | None = None
    ) -> str:
        """Start one instance and return its name; `extra` are variables for it alone."""
        line, instance, port = roster.service(service), f"{service}-{replica}", port or sockets.free_port()
        variables = {**environment(line, instance, port, self.world), **(extra or {})}
        self._start(instance, port, [sys.executable, "-m", f"services.{service}"], variables)
        return instance

    async def until_ready(self, instances: Iterable[str] | None = None, within_s: float = 60) -> None:
        """Wait for 200 on /readyz of each; raises `InfraError` with the log's end of the first that fails."""
        names = list(self.members if instances is None else instances)
        async with httpx.AsyncClient(timeout=2) as client:
            await asyncio.gather(*(self._ready(client, self.members[name], within_s) for name in names))

    async def kill9(self, instance: str) -> None:
        """SIGKILL, and no restart until `restart`."""
        member = self.members[instance]
        member.wanted = False
        await children.kill(member.child)

    async def terminate(self, instance: str, grace_s: float = _GRACE_S) -> int | None:
        """SIGTERM and wait; the exit code, for tests of draining."""
        member = self.members[instance]
        member.wanted = False
        await children.stop(member.child, grace_s)
        return member.child.exit_code

    def restart(self, instance: str) -> None:
        """The same instance again: same name, port and environment."""
        member = self.members[instance]
        member.child = children.spawn(instance, member.command, member.child.log, member.environment)
        member.wanted, member.started = True, time.monotonic()

    def revive(self) -> list[str]:
        """Start again whoever crashed, each after a pause that doubles while it keeps crashing; returns the crashed."""
        now, crashed = time.monotonic(), []
        for member in self.members.values():
            if not member.wanted or member.child.exit_code is None:
                continue
            if not member.pauses_until:
                steady = now - member.started > _STEADY_S
                member.pause_s = _FIRST_PAUSE_S if steady else min(member.pause_s * 2, _LONGEST_PAUSE_S)
                member.pauses_until = now + member.pause_s
                crashed.append(member.instance)
            elif now >= member.pauses_until:
                member.pauses_until = 0.0
                self.restart(member.instance)
        return crashed

    async def stop(self, grace_s: float = _GRACE_S) -> None:
        """SIGTERM to all, SIGKILL after the grace."""
        for member in self.members.values():
            member.wanted = False
        await asyncio.gather(*(children.stop(member.child, grace_s) for member in self.members.values()))

    def pids(self) -> dict[str, int]:
        """Those that run now."""
        return {name: m.child.pid for name, m in self.members.items() if m.child.exit_code is None}

    def _start(self, instance: str, port: int, command: list[str], variables: Mapping[str, str]) -> None:
        child = children.spawn(instance, command, self.logs / f"{instance}.log", variables)
        self.members[instance] = Member(instance, port, command, variables, child, time.monotonic())

    async def _ready(self, client: httpx.AsyncClient, member: Member, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if member.child.exit_code is not None:
                raise InfraError(f"{member.instance} ended ({member.child.exit_code}):\n{member.child.tail(30)}")
            if await sockets.answers(member.port) and await _says_ready(client, member.url):
                return
            await asyncio.sleep(0.1)
        raise InfraError(f"{member.instance} was not ready within {within_s:.0f} s:\n{member.child.tail(30)}")


async def _says_ready(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/readyz")).status_code == 200
    except httpx.TransportError:
        return False  # ended between two looks, or too busy to answer
