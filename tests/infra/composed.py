"""deploy/compose.yaml brought up by the engine's own API, where no compose command is at hand.

    with Composed() as stack: httpx.get(f"{stack.url('gateway', 8080)}/readyz")

It reads the file that people use and takes what stands there: images, commands, users, limits, networks, volumes,
health checks, and the conditions between services. Only the ports differ: the engine chooses free ones on loopback.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml
from docker.client import DockerClient
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool

from deploy.local.infra import engine
from deploy.local.tools import ROOT

FILE: Final = ROOT / "deploy" / "compose.yaml"
_VARIABLE: Final = re.compile(r"\$\{(\w+):-([^}]*)\}")
_UNITS: Final = {"s": 10**9, "ms": 10**6}
_KNOWN: Final = frozenset({
    "image", "build", "command", "environment", "read_only", "tmpfs", "cap_drop", "security_opt", "volumes", "restart",
    "depends_on", "healthcheck", "ports", "user", "mem_limit", "networks", "stop_grace_period",
})  # fmt: skip


def described() -> dict[str, Any]:
    """The file with its variables filled in; raises ValueError where it says what is not understood here."""
    engine.connect().close()  # takes over the images that were prepared
    text = _VARIABLE.sub(lambda found: os.environ.get(found[1]) or found[2], FILE.read_text())
    content: dict[str, Any] = yaml.safe_load(text)
    for name, service in content["services"].items():
        if unknown := service.keys() - _KNOWN:
            raise ValueError(f"{name}: {sorted(unknown)} are not understood here")
    return content


def in_order(services: Mapping[str, Any]) -> Iterator[str]:
    """Each after those it depends on."""
    left = dict(services)
    while left:
        ready = [name for name, one in left.items() if not set(one.get("depends_on", ())) & left.keys()]
        if not ready:
            raise ValueError(f"a circle among {sorted(left)}")
        for name in ready:
            yield name
            del left[name]


@dataclass
class Composed:
    """All of it, until the end of the `with`; `containers` by the services' names."""

    content: dict[str, Any] = field(default_factory=described)
    project: str = field(default_factory=lambda: f"malote-{uuid.uuid4().hex[:8]}")
    containers: dict[str, Container] = field(default_factory=dict)
    _client: DockerClient = field(default_factory=engine.connect)
    _network: Network | None = None

    def __enter__(self) -> Self:
        subnet = self.content["networks"]["default"]["ipam"]["config"][0]["subnet"]
        pools = IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])
        engine.sweep(self._client)
        try:
            self._network = self._client.networks.create(self.project, ipam=pools, labels=engine.labels())
            for name in in_order(self.content["services"]):
                self._start(name, self.content["services"][name])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for container in reversed(self.containers.values()):
            container.remove(force=True, v=True)
        for name in self.content["volumes"]:
            for volume in self._client.volumes.list(filters={"name": f"{self.project}-{name}"}):
                volume.remove(force=True)
        if self._network is not None:
            self._network.remove()
        self._client.close()

    def url(self, service: str, inside: int) -> str:
        """Where a published port of a service is reached from here."""
        return f"http://127.0.0.1:{self.port(service, inside)}"

    def port(self, service: str, inside: int) -> int:
        """The port on loopback."""
        container = self.containers[service]
        container.reload()
        published: Any = container.ports[f"{inside}/tcp"]
        return int(published[0]["HostPort"])

    def until_healthy(self, service: str, within_s: float = 90) -> None:
        """Waits for its health check; raises AssertionError with the end of its output."""
        self._until(service, lambda state: state.get("Health", {}).get("Status") == "healthy", within_s)

    def said(self, service: str, lines: int = 40) -> str:
        """The end of its output."""
        output: bytes = self.containers[service].logs(tail=lines)
        return output.decode("utf-8", "replace")

    def _start(self, name: str, service: Mapping[str, Any]) -> None:
        needed = service.get("depends_on", {})
        for other, how in needed.items():
            self._met(other, how["condition"])
        assert self._network is not None
        made = self._client.containers.create(
            service["image"], network=self.project, labels=engine.labels(), detach=True, **self._options(service)
        )
        self.containers[name] = made
        self._network.disconnect(made)
        more = service.get("networks", {}).get("default", {}).get("aliases", [])
        self._network.connect(made, aliases=[name, *more])
        made.start()

    def _met(self, other: str, condition: str) -> None:
        if condition == "service_healthy":
            self.until_healthy(other)
        elif condition == "service_completed_successfully":
            self._until(other, lambda state: state["Status"] == "exited" and state["ExitCode"] == 0, 90)

    def _until(self, service: str, true: Any, within_s: float) -> None:
        container, limit = self.containers[service], time.monotonic() + within_s
        while True:
            container.reload()
            state = container.attrs["State"]
            if true(state):
                return
            if state["Status"] == "exited" or time.monotonic() > limit:
                raise AssertionError(f"{service} is {state['Status']} ({state['ExitCode']}):\n{self.said(service)}")
            time.sleep(0.2)

    def _options(self, service: Mapping[str, Any]) -> dict[str, Any]:
        """What the engine is told of a service."""
        binds = [self._bind(one) for one in service.get("volumes", ())]
        found: dict[str, Any] = {
            "command": service.get("command"), "environment": service.get("environment", {}), "volumes": binds,
            "read_only": service.get("read_only", False), "cap_drop": service.get("cap_drop"),
            "security_opt": service.get("security_opt"), "user": service.get("user"),
            "mem_limit": service.get("mem_limit"), "tmpfs": _pairs(service.get("tmpfs", ())),
            "ports": {f"{one.rpartition(':')[2]}/tcp": ("127.0.0.1", None) for one in service.get("ports", ())},
        }  # fmt: skip
        if check := service.get("healthcheck"):
            spans = {name: _nanoseconds(check[name]) for name in ("interval", "timeout") if name in check}
            found["healthcheck"] = {"test": check["test"], "retries": check.get("retries", 3), **spans}
        return {name: value for name, value in found.items() if value}

    def _bind(self, said: str) -> str:
        """A folder beside the file, or a volume of this project."""
        source, _, rest = said.partition(":")
        place = str((FILE.parent / source).resolve()) if source.startswith(".") else f"{self.project}-{source}"
        return f"{place}:{rest}"


def _pairs(said: list[str]) -> dict[str, str]:
    return {path: options for path, _, options in (one.partition(":") for one in said)}


def _nanoseconds(said: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(ms|s)", said).groups()  # type: ignore[union-attr]  # a file of ours
    return int(number) * _UNITS[unit]


def available() -> bool:
    """Whether these tests are wanted: an engine was prepared and named."""
    return os.environ.get("MALOTE_INFRA") == "containers" and Path(FILE).exists()
