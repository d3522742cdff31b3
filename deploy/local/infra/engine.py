"""The Docker engine behind the `containers` backend: where it is, which images, what a killed run left behind."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import docker
import psutil
from docker.errors import APIError, DockerException
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from deploy.local import tools
from deploy.local.infra.ports import InfraError

PUBLIC = {
    "KAFKA_IMAGE": "apache/kafka:4.1.1",
    "MONGO_IMAGE": "mongo:7",
    "GREENMAIL_IMAGE": "greenmail/standalone:2.1.8",
}
_RUNNER, _HOST, _KEPT_BY = "malote.runner", "malote.host", "malote.kept-by"


def image(variable: str) -> str:
    """The image named by a variable, its public name when unset."""
    return os.environ.get(variable) or PUBLIC[variable]


def connect() -> docker.DockerClient:
    """The engine, answering. Without DOCKER_HOST, what deploy/images/prepare.sh wrote down is used when it is there.

    Raises `InfraError` when no engine answers.
    """
    _read_prepared()
    # Ports are published on this machine's loopback; a stray /.dockerenv makes testcontainers dial the bridge instead.
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as gone:
        raise InfraError(f"no Docker engine answers ({gone}): start one, or run deploy/images/prepare.sh") from gone
    return client


def _read_prepared() -> None:
    prepared = Path(os.environ.get("MALOTE_DOCKER_DIR") or tools.local_folder() / "docker") / "env"
    if "DOCKER_HOST" in os.environ or not prepared.exists():
        return
    for pair in prepared.read_text().split():
        name, equals, value = pair.partition("=")
        if equals:
            os.environ.setdefault(name, value)


def labels() -> dict[str, str]:
    """Marks what this process started, so that a later run can tell whether it is still wanted."""
    return {_HOST: socket.gethostname(), _RUNNER: f"{os.getpid()}@{psutil.Process().create_time():.0f}"}


def volume(client: docker.DockerClient, name: str, kept_by: Path) -> str:
    """A named volume that lives as long as the file it is kept by (`sweep`)."""
    client.volumes.create(name, labels={_HOST: socket.gethostname(), _KEPT_BY: str(kept_by)})
    return name


def sweep(client: docker.DockerClient) -> None:
    """Remove containers of dead processes of this machine, and volumes whose folder is gone (there may be no Ryuk)."""
    ours = f"{_HOST}={socket.gethostname()}"
    for container in client.containers.list(all=True, filters={"label": ours}, ignore_removed=True):
        if not _alive(container.labels.get(_RUNNER, "")):
            _remove(lambda: container.remove(force=True, v=True))  # noqa: B023  called at once
    for kept in client.volumes.list(filters={"label": ours}):
        if not Path(kept.attrs["Labels"][_KEPT_BY]).exists():
            _remove(kept.remove)


def _alive(runner: str) -> bool:
    pid, _, born = runner.partition("@")
    try:
        # The kernel's start of time moves by a second when the clock is set.
        return abs(psutil.Process(int(pid)).create_time() - float(born)) < 5
    except (psutil.NoSuchProcess, ValueError):
        return False


def _remove(removal: Callable[[], None]) -> None:
    """Gone already (404), or still in use or being removed (409): somebody else's turn."""
    try:
        removal()
    except APIError as refused:
        if refused.status_code not in (404, 409):
            raise


class Answers(WaitStrategy):
    """Ready when a probe of the server's own protocol succeeds: the engine's proxy accepts before the server does.

    The probe says True, False, or raises `OSError`; a container that ends meanwhile raises `RuntimeError`.
    """

    def __init__(self, probe: Callable[[], bool], within_s: float = 60) -> None:
        super().__init__()
        self._probe, self._within_s = probe, within_s

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Ask every 50 ms; raises `TimeoutError` when the time is up."""
        deadline = time.monotonic() + self._within_s
        while not self._answered():
            container.reload()
            if container.status in ("exited", "dead"):
                raise RuntimeError("the container has ended")
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer within {self._within_s:.0f} s")
            time.sleep(0.05)

    def _answered(self) -> bool:
        try:
            return self._probe()
        except OSError:
            return False
