"""Who runs in the local stack: one line a service, and the environment each of them is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.infra.ports import Addresses
from deploy.local.keys import KeyFiles
from deploy.local.sockets import HOST
from deploy.local.tools import ROOT


@dataclass(frozen=True, slots=True)
class Service:
    """One line of the roster: `python -m services.<name>`, and the key files it may see (fields of `KeyFiles`)."""

    name: str
    keys: tuple[str, ...] = ()


SERVICES = (
    Service("config"),
    Service("signature"),
    Service("ingest", keys=("sealing_private", "threading")),
    Service("outbox", keys=("sealing_private", "threading")),
    Service("gateway", keys=("sealing_public", "threading", "console")),
)


def service(name: str) -> Service:
    """The line of this name; raises `KeyError` with the name."""
    for line in SERVICES:
        if line.name == name:
            return line
    raise KeyError(name)


_KEY_VARIABLES = {
    "sealing_private": "MALOTE_SEALING_PRIVATE",
    "sealing_public": "MALOTE_SEALING_PUBLIC",
    "threading": "MALOTE_THREADING_KEYS",
    "console": "MALOTE_CONSOLE_KEYS",
}


@dataclass(frozen=True, slots=True)
class World:
    """What all services of one stack share; `extra` is added to every environment and wins."""

    addresses: Addresses
    keys: KeyFiles
    issuer: str
    ca_file: Path | None = None
    smtp_ports: tuple[int, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)

    def common_environment(self) -> dict[str, str]:
        """The variables of every service and of provisioning."""
        to = self.addresses
        environment = {
            "PYTHONPATH": str(ROOT),
            "MALLOC_ARENA_MAX": "1",  # threads only wait for the database here: one arena keeps a service small
            "MALOTE_KAFKA": to.kafka,
            "MALOTE_MONGO": to.mongo,
            "MALOTE_LOG_LEVEL": "INFO",
            "MALOTE_PARTITION_DIVISOR": "8",
            "MALOTE_REPLICATION": "1",
            "MALOTE_ISSUER": self.issuer,
            "MALOTE_JWKS_URL": f"{self.issuer}/.well-known/jwks.json",
            "MALOTE_EGRESS_ALLOW": json.dumps(["127.0.0.0/8"]),
            "MALOTE_SMTP_PORTS": json.dumps(sorted({to.smtp[1], to.smtps[1], *self.smtp_ports})),
            "MALOTE_IMAP_PORTS": json.dumps([to.imap[1], to.imaps[1]]),
            "MALOTE_ALLOW_PLAIN_SMTP": "true",
            "MALOTE_ALLOW_PLAIN_IMAP": "true",
        }
        if self.ca_file:
            environment["MALOTE_SMTP_CA_FILE"] = environment["MALOTE_IMAP_CA_FILE"] = str(self.ca_file)
        return {**environment, **self.extra}


def environment(service: Service, instance: str, port: int, world: World) -> dict[str, str]:
    """The whole environment of one instance, `world.extra` last."""
    own = {"MALOTE_INSTANCE": instance, "MALOTE_HTTP_HOST": HOST, "MALOTE_HTTP_PORT": str(port)}
    own |= {_KEY_VARIABLES[key]: str(getattr(world.keys, key)) for key in service.keys}
    return {**own, **world.common_environment()}
