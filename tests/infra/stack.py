"""A whole stack for tests: real servers in a folder of its own, provisioned, with the services a test asks for.

    async with Stack(services={"gateway": 1, "outbox": 2}, env={"MALOTE_DATA_LIMIT_S": "5"}) as stack:
        httpx.get(f"{stack.gateway_url}/v1/channels", headers=stack.auth(tenant, "channels:read"))
        await stack.kill9("outbox-0"); await stack.restart("outbox-0")

The backend is MALOTE_INFRA's. A service nobody revives stays dead: tests decide. Logs lie in `stack.folder/"logs"`; the
folder is kept when the body raises and its path is printed, else removed (never one the caller gave).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import sockets
from deploy.local.crew import Crew
from deploy.local.infra import PARTS, Addresses, Infra, Options, Part, open_infra
from deploy.local.issuer import issuer_url, mint
from deploy.local.keys import KeyFiles, ensure_keys
from deploy.local.roster import World

EVERYTHING = ("config", "signature", "outbox", "gateway")


class Stack:
    """Servers and services of one test session; one `async with` from start to end."""

    def __init__(
        self,
        services: Iterable[str] | Mapping[str, int] = EVERYTHING,
        env: Mapping[str, str] | None = None,
        *,
        env_by: Mapping[str, Mapping[str, str]] | None = None,
        smtp_ports: Iterable[int] = (),
        ca_file: Path | None = None,
        folder: Path | None = None,
        parts: tuple[Part, ...] = ("kafka", "mongo"),
        chaos: bool = True,
    ) -> None:
        """`services` may give replicas; `env` goes to all, `env_by` to one service or one instance ("outbox-1").

        `smtp_ports` are peers the channels may name, `ca_file` the authority they are certified by; `parts` are the
        servers started: no GreenMail unless asked for.
        """
        self.replicas = dict(services) if isinstance(services, Mapping) else dict.fromkeys(services, 1)
        self.folder = folder or Path(tempfile.mkdtemp(prefix="malote-"))
        self.addresses: Addresses
        self.infra: Infra = open_infra(Options(self.folder / "data", chaos=chaos, parts=parts))
        self._given = folder is not None
        self._env, self._env_by = dict(env or {}), env_by or {}
        self._smtp_ports, self._ca_file = tuple(smtp_ports), ca_file
        self.keys: KeyFiles = ensure_keys(self.folder / "keys")
        self.issuer_port = sockets.free_port()
        self.crew: Crew

    async def __aenter__(self) -> Self:
        """Servers, topics and indexes, issuer, services; returns when every service is ready."""
        self.addresses = await self.infra.start()
        try:
            self.crew = Crew(self._world(), self.folder / "logs")
            self.crew.start_issuer(self.issuer_port)
            await self.crew.provision()
            for service, replicas in self.replicas.items():
                for replica in range(replicas):
                    self.start(service, replica)
            await self.crew.until_ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop services, then servers."""
        await self._stop()
        if raised is not None:
            print(f"the stack's data and logs are kept in {self.folder}", file=sys.stderr)
        elif not self._given:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, service: str, replica: int = 0, **extra: str) -> str:
        """Start one more instance, not waiting for it; returns its name."""
        own = {**self._env_by.get(service, {}), **self._env_by.get(f"{service}-{replica}", {}), **extra}
        return self.crew.start(service, replica, extra=own)

    @property
    def gateway_url(self) -> str:
        """Base URL of the first gateway's REST."""
        return self.url("gateway-0")

    def url(self, instance: str) -> str:
        """Base URL of an instance's probes."""
        return self.crew.members[instance].url

    @property
    def kafka(self) -> str:
        """Bootstrap address."""
        return self.addresses.kafka

    @property
    def mongo(self) -> str:
        """Database URL."""
        return self.addresses.mongo

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of servers (where they are ours) and services, by name."""
        return {**self.infra.pids(), **self.crew.pids()}

    def log(self, instance: str) -> Path:
        """The file that holds all an instance wrote, over restarts."""
        return self.crew.members[instance].child.log

    def token(
        self,
        tenant: uuid.UUID | str,
        scopes: Iterable[str],
        *,
        operator: uuid.UUID | str | None = None,
        ttl_s: int = 86_400,
    ) -> str:
        """A token of this stack's issuer."""
        by = str(operator) if operator else None
        issuer = issuer_url(self.issuer_port)
        return mint(self.keys.issuer, issuer, str(tenant), scopes, sub=by or "test", operator=by, ttl_s=ttl_s)

    def auth(self, tenant: uuid.UUID | str, *scopes: str, operator: uuid.UUID | str | None = None) -> dict[str, str]:
        """The Authorization header for that token."""
        return {"Authorization": f"Bearer {self.token(tenant, scopes, operator=operator)}"}

    async def kill9(self, name: str) -> None:
        """SIGKILL a service instance, or "kafka", "mongo", "mail"."""
        if (part := _part(name)) is not None:
            await self.infra.kill(part)
        else:
            await self.crew.kill9(name)

    async def restart(self, name: str, *, wait: bool = True) -> None:
        """Start a killed one again: same port, data and environment; with `wait` return when it is ready."""
        if (part := _part(name)) is not None:
            await self.infra.restart(part)
            return
        self.crew.restart(name)
        if wait:
            await self.crew.until_ready([name])

    async def terminate(self, instance: str, grace_s: float = 30) -> int | None:
        """SIGTERM, wait for the drain; the exit code (0 when it drained)."""
        return await self.crew.terminate(instance, grace_s)

    def _world(self) -> World:
        return World(
            addresses=self.addresses,
            keys=self.keys,
            issuer=issuer_url(self.issuer_port),
            ca_file=self._ca_file,
            smtp_ports=self._smtp_ports,
            extra=self._env,
        )

    async def _stop(self) -> None:
        if hasattr(self, "crew"):
            await self.crew.stop()
        await self.infra.stop()


def _part(name: str) -> Part | None:
    return next((part for part in PARTS if part == name), None)
