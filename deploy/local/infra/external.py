"""Servers somebody else runs, as on Kubernetes: addresses from the environment, nothing started or stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass

from deploy.local.infra.ports import Addresses, HostPort, InfraError, Options, Part


@dataclass(slots=True)
class External:
    """MALOTE_KAFKA, MALOTE_MONGO, MALOTE_MAIL_{SMTP,SMTPS,IMAP,IMAPS} as host:port, MALOTE_MAIL_API as a URL."""

    options: Options
    name: str = "external"

    async def start(self) -> Addresses:
        """Read the addresses; raises `InfraError` naming the first variable that is missing."""
        return Addresses(
            kafka=_wanted("MALOTE_KAFKA"),
            mongo=_wanted("MALOTE_MONGO"),
            smtp=_host_port("MALOTE_MAIL_SMTP"),
            smtps=_host_port("MALOTE_MAIL_SMTPS"),
            imap=_host_port("MALOTE_MAIL_IMAP"),
            imaps=_host_port("MALOTE_MAIL_IMAPS"),
            mail_api=_wanted("MALOTE_MAIL_API"),
        )

    async def stop(self) -> None:
        """Nothing of ours to stop."""

    async def kill(self, part: Part) -> None:
        """Never: these servers are not ours."""
        raise InfraError(f"the external backend does not kill {part}")

    async def restart(self, part: Part) -> None:
        """Never: these servers are not ours."""
        raise InfraError(f"the external backend does not start {part}")

    def pids(self) -> dict[str, int]:
        """None."""
        return {}


def _wanted(name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise InfraError(f"MALOTE_INFRA=external needs {name}")


def _host_port(name: str) -> HostPort:
    host, colon, port = _wanted(name).rpartition(":")
    if not colon or not port.isdigit():
        raise InfraError(f"{name} must be host:port")
    return host, int(port)
