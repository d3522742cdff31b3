"""The one interface to the servers behind the stack; `make run` and the tests know nothing else of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Part = Literal["kafka", "mongo", "mail"]
PARTS: tuple[Part, ...] = ("kafka", "mongo", "mail")
HostPort = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the started servers listen, as seen from this machine.

    `kafka` is a bootstrap string, `mongo` a URL, `mail_api` the base URL of GreenMail's REST; the rest (host, port).
    """

    kafka: str
    mongo: str
    smtp: HostPort
    smtps: HostPort
    imap: HostPort
    imaps: HostPort
    mail_api: str


@dataclass(frozen=True, slots=True)
class Options:
    """What a backend is asked for.

    `folder` holds data and logs (fresh folder: fresh data); `fixed_ports` takes the well-known ones of `make run`, else
    free ones are chosen and kept over kill and restart; `chaos` shortens the broker's session to 2 s (FINDINGS,
    "Apache Kafka without Docker"); `heap_mb` bounds the broker; `parts` leaves servers out that a test does not need.
    """

    folder: Path
    fixed_ports: bool = False
    chaos: bool = False
    heap_mb: int = 256
    parts: tuple[Part, ...] = PARTS


class Infra(Protocol):
    """Kafka, a MongoDB replica set and a mail server, started together."""

    name: str

    async def start(self) -> Addresses:
        """Start all parts, return when each answers. Raises `InfraError` naming a taken port or a missing tool."""
        ...

    async def stop(self) -> None:
        """Stop all parts; safe to call twice and after a failed start."""
        ...

    async def kill(self, part: Part) -> None:
        """SIGKILL one part and return when it is gone; raises `InfraError` where the backend cannot."""
        ...

    async def restart(self, part: Part) -> None:
        """Start a killed part again on the same port and data; returns when it answers."""
        ...

    def pids(self) -> dict[str, int]:
        """Process ids on this machine by part, empty where the backend has none."""
        ...


class InfraError(RuntimeError):
    """The servers cannot be had as asked; the text says what to do about it."""
