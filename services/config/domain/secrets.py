"""Whether the sealed secrets belong to the settings, by their readable header alone: nothing is opened here.

A secret is bound to tenant, channel, direction, host, port, security and user name, so that nobody who may change a
host can have the stored password sent to it: whoever changes one of these gives the secret again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.config.domain.channel import Channel, Secret, Secrets, Server, Settings
from services.config.domain.outcome import Fault, Refusal

DIRECTIONS: Final = ("imap", "smtp")
_BOUND: Final = ("host", "port", "security", "user_name")


@dataclass(frozen=True, slots=True)
class Header:
    """What the readable header of a sealed secret says it is good for."""

    tenant: str
    channel_id: str
    direction: str
    host: str
    port: int
    security: str
    user_name: str
    sealed_version: int


@dataclass(frozen=True, slots=True)
class Given:
    """The secrets of a wish with their headers by direction; a header that can't be read is missing."""

    secrets: Secrets
    headers: dict[str, Header]


def check(tenant: str, channel_id: str, before: Channel | None, settings: Settings, given: Given) -> Refusal | None:
    """Refuses a secret that is missing, unreadable, for something else, or older than the stored one."""
    missing: list[Fault] = []
    wrong: list[Fault] = []
    for direction in DIRECTIONS:
        secret: Secret | None = getattr(given.secrets, direction)
        server: Server = getattr(settings, direction)
        if secret is None:
            missing += _kept(direction, before, server)
        else:
            wrong += _bound(direction, secret, given.headers.get(direction), (tenant, channel_id), server)
            wrong += _newer(direction, secret, before)
    if missing:
        return Refusal("secret_required", "Give the password again: it is bound to these settings.", tuple(missing))
    if wrong:
        return Refusal("invalid", "A secret does not belong to these settings.", tuple(wrong))
    return None


def _kept(direction: str, before: Channel | None, server: Server) -> Iterator[Fault]:
    stored: Secret | None = getattr(before.secrets, direction) if before else None
    if before is None or stored is None:
        yield Fault(f"credentials.{direction}", "secret_required", "Give the password.")
        return
    old: Server = getattr(before.settings, direction)
    differing = [name for name in (*_BOUND, "auth") if getattr(old, name) != getattr(server, name)]
    if differing:
        named = ", ".join(f"{direction}.{name}" for name in differing)
        yield Fault(f"credentials.{direction}", "secret_required", f"Give the password again, because {named} changed.")


def _bound(
    direction: str, secret: Secret, header: Header | None, owner: tuple[str, str], server: Server
) -> Iterator[Fault]:
    if header is None:
        yield Fault(f"credentials.{direction}", "unreadable", "This is no sealed secret. Give the password again.")
        return
    says = {name: getattr(header, name) for name in _BOUND}
    wanted = {name: getattr(server, name) for name in _BOUND}
    says |= {"tenant": header.tenant, "channel_id": header.channel_id, "direction": header.direction}
    wanted |= {"tenant": owner[0], "channel_id": owner[1], "direction": direction}
    says["sealed_version"], wanted["sealed_version"] = header.sealed_version, secret.sealed_version
    if differing := [name for name in wanted if says[name] != wanted[name]]:
        named = ", ".join(differing)
        yield Fault(f"credentials.{direction}", "bound_elsewhere", f"It was sealed for another {named}.")


def _newer(direction: str, secret: Secret, before: Channel | None) -> Iterator[Fault]:
    stored: Secret | None = getattr(before.secrets, direction) if before else None
    if stored is not None and secret != stored and secret.sealed_version <= stored.sealed_version:
        yield Fault(f"credentials.{direction}", "sealed_version", "A newer secret is stored. Give the password again.")
