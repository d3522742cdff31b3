"""Seals, Message-ID stamps and the egress guard, by ``kit`` and ``contracts``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, cast

from contracts import limits, threading
from contracts.channel import SealedSecret
from services.gateway.domain.place import Place
from services.gateway.domain.refusal import Code, Fault, Refused, invalid
from services.kit.egress import Denied, Egress
from services.kit.sealing import Binding, Sealer

_SENTENCES: Final = {
    "host_not_allowed": "This host leads to a network that is not allowed. Give your provider's public mail server.",
    "port_not_allowed": "This port is not allowed here. Use one of {ports}.",
    "unresolvable": "There is no server of this name. Check the spelling.",
    "invalid_host": "Give the name of the mail server, like mail.example.com.",
}


class KitSeals:
    """See ``ports.Seals``: closes for the services that log in, and cannot open."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(
        self, secret: Mapping[str, str], *, tenant: str, channel_id: str, direction: str, place: Place, version: int
    ) -> SealedSecret:
        """See the port."""
        way = cast('Literal["smtp", "imap"]', direction)
        bound = Binding(tenant, channel_id, way, place.host, place.port, place.security, place.user_name, version)
        return SealedSecret(jwe=self._sealer.seal(secret, bound=bound), sealed_version=version)


class TokenStamps:
    """See ``ports.Stamps``."""

    def __init__(self, ring: threading.Keyring) -> None:
        self._ring = ring

    def mint(self, tenant: str, channel_id: str, message_id: str, conversation_id: str, domain: str) -> str:
        """See the port."""
        return threading.mint(
            self._ring, tenant=tenant, channel_id=channel_id, message_id=message_id,
            conversation_id=conversation_id, domain=domain,
        )  # fmt: skip


class EgressHosts:
    """See ``ports.Hosts``; ``plain`` where the platform allows connections without TLS."""

    def __init__(self, egress: Egress, smtp_ports: frozenset[int], imap_ports: frozenset[int], *, plain: bool) -> None:
        self._egress, self._plain = egress, plain
        self._ports = {"smtp": limits.SMTP_PORTS | smtp_ports, "imap": limits.IMAP_PORTS | imap_ports}

    async def objection(self, direction: str, place: Place) -> Refused | None:
        """See the port."""
        if place.security == "none" and not self._plain:
            return invalid(f"{direction}.security", "security", "Connections must be protected. Use tls or starttls.")
        ports = self._ports[direction]
        verdict = await self._egress.check(place.host, place.port, ports=ports)
        return _refusal(direction, verdict, ports) if isinstance(verdict, Denied) else None


def _refusal(direction: str, denied: Denied, ports: frozenset[int]) -> Refused:
    """What the tenant may know; the guard's own words tell of inner networks."""
    detail = _SENTENCES[denied.code].format(ports=", ".join(map(str, sorted(ports))))
    field = f"{direction}.port" if denied.code == "port_not_allowed" else f"{direction}.host"
    code = Code.HOST_NOT_ALLOWED if denied.code == "host_not_allowed" else Code.INVALID
    return Refused(code, detail, (Fault(field, denied.code, detail),))


def read_keyring(path: Path) -> threading.Keyring:
    """The threading keys: ``{"current": "k1", "keys": {"k1": "<base64url, 32 octets>"}}``."""
    said: dict[str, Any] = json.loads(path.read_text())
    keys = {kid: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for kid, text in said["keys"].items()}
    return threading.Keyring(said["current"], keys)


def read_sealer(path: Path) -> Sealer:
    """The sealer with the public keys in this file."""
    return Sealer(json.loads(path.read_text()))
