"""Whether settings may be taken: ports, security, hosts, names, limits. Every fault is named at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from contracts import addresses, limits
from services.config.domain.channel import Server, Settings
from services.config.domain.outcome import Fault

_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the platform allows: ports per direction, and connections without TLS."""

    imap_ports: frozenset[int] = limits.IMAP_PORTS
    smtp_ports: frozenset[int] = limits.SMTP_PORTS
    plain: bool = False


def check(settings: Settings, allowed: Allowed) -> tuple[Fault, ...]:
    """Everything wrong with these settings; empty when nothing is."""
    found = [*_server("imap", settings.imap, allowed.imap_ports, allowed)]
    found += _server("smtp", settings.smtp, allowed.smtp_ports, allowed)
    found += _rest(settings)
    return tuple(found)


def _server(direction: str, server: Server, ports: frozenset[int], allowed: Allowed) -> Iterator[Fault]:
    if not _is_host(server.host):
        yield Fault(f"{direction}.host", "host", "Give the name of the mail server, like mail.example.com.")
    if server.port not in ports:
        listed = ", ".join(map(str, sorted(ports)))
        yield Fault(f"{direction}.port", "port", f"This port is not allowed here. Use one of {listed}.")
    if server.security not in ("tls", "starttls") and not (server.security == "none" and allowed.plain):
        yield Fault(f"{direction}.security", "security", "Connections must be protected. Use tls or starttls.")
    if _CONTROL.search(server.user_name):
        yield Fault(f"{direction}.user_name", "control_character", "Take out line breaks and control characters.")


def _is_host(host: str) -> bool:
    if len(host) > 253 or not host.isascii():
        return False
    try:
        ip_address(host)
    except ValueError:
        return all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))
    return True


def _rest(settings: Settings) -> Iterator[Fault]:
    rest = settings.rest
    for name in ("name", "sender_name"):
        if addresses.breaks_header(rest[name]) or len(rest[name]) > limits.NAME_LENGTH:
            yield Fault(name, "text", f"Take out line breaks, and stay below {limits.NAME_LENGTH} characters.")
    if isinstance(refused := addresses.parse(rest["address"]), addresses.Refused):
        yield Fault("address", refused.code, refused.detail)
    if not 0 <= rest["undo_seconds"] <= limits.UNDO_MAX:
        yield Fault("undo_seconds", "range", f"Choose between 0 and {limits.UNDO_MAX} seconds.")
    if rest["policy"] not in ("park", "resend"):
        yield Fault("policy", "unknown", "Use park or resend.")
