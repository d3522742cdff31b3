"""The guard in front of every connection to a host a tenant named (server-side request forgery).

`check` reads the name strictly, resolves it, looks at every answer, and returns the addresses it looked at: the caller
connects to one of those and to nothing else (a second look-up could answer differently), keeping the name for TLS.
Check again on each connect. Only the platform's operator can allow what the table denies.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, Protocol

import idna

from services.kit import metrics
from services.kit.egress_table import DENIED, Address, Network, faces, unmapped

DenialCode = Literal["host_not_allowed", "port_not_allowed", "unresolvable", "invalid_host"]
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_FOREIGN_DOTS = re.compile("[。．｡]")
_RESOLVE_S = 5.0
_MOST_ADDRESSES = 16


@dataclass(frozen=True, slots=True)
class Allowed:
    """Connect to one of `addresses` (canonical text), speak TLS to `server_name` (ASCII, lower case)."""

    addresses: tuple[str, ...]
    server_name: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Refused; `code` may be shown to the tenant, `detail` is for the platform's logs (it tells of inner networks)."""

    code: DenialCode
    detail: str = ""


class Resolver(Protocol):
    """Turns a name into addresses."""

    async def resolve(self, name: str) -> Sequence[str]:
        """Every IPv4 and IPv6 address of the name as text; OSError when there is none."""
        ...


class SystemResolver:
    """The machine's resolver, IPv4 and IPv6."""

    async def resolve(self, name: str) -> Sequence[str]:
        """Every address of the name; OSError (gaierror, timeout) when it cannot be resolved within 5 s."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_RESOLVE_S):
            answers = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class Egress:
    """Decides where tenants' settings may lead; `allow` are denied networks the platform permits all the same."""

    def __init__(self, allow: Sequence[Network] = (), resolver: Resolver | None = None) -> None:
        self._allow = tuple(allow)
        self._resolver = resolver or SystemResolver()

    async def check(self, host: str, port: int, *, ports: Collection[int]) -> Allowed | Denied:
        """Whether a connection to this host and port may be made, and to which addresses; a bad host is a `Denied`."""
        verdict = await self._decide(host, port, ports)
        if isinstance(verdict, Denied):
            metrics.egress_denied.labels(verdict.code).inc()
        return verdict

    async def _decide(self, host: str, port: int, ports: Collection[int]) -> Allowed | Denied:
        target = read_host(host)
        if target is None:
            return Denied("invalid_host", "not a host name or a plain address")
        if port not in ports or not 0 < port < 65_536:
            return Denied("port_not_allowed", f"port {port}")
        if not isinstance(target, str):
            return self._judge([target], str(target))
        try:
            answers = await self._resolver.resolve(target)
            found = [unmapped(ip_address(answer)) for answer in answers]
        except (OSError, UnicodeError) as error:
            return Denied("unresolvable", type(error).__name__)
        except ValueError:
            return Denied("host_not_allowed", "an answer that is no address")
        return self._judge(found, target)

    def _judge(self, found: Sequence[Address], name: str) -> Allowed | Denied:
        if not found:
            return Denied("unresolvable", "no address")
        for address in found:
            why = self._objection(address)
            if why:
                return Denied("host_not_allowed", why)
        return Allowed(tuple(dict.fromkeys(map(str, found)))[:_MOST_ADDRESSES], name)

    def _objection(self, address: Address) -> str | None:
        if isinstance(address, IPv6Address) and address.scope_id:
            return "scoped address"
        if self._allows(address):
            return None
        suspects = [face for face in faces(address) if not self._allows(face)]
        return next((why for net, why in DENIED for face in suspects if face in net), None)

    def _allows(self, address: Address) -> bool:
        return any(address in net for net in self._allow)


def read_host(host: str) -> str | Address | None:
    """The host as an ASCII name in lower case or as an address (IPv4-mapped unwrapped); None when it is neither.

    Only the canonical spellings pass: four decimal numbers without leading zeros, RFC 4291 text without brackets or
    zone, letters-digits-hyphen names, IDNA 2008. Whatever some other parser would read as a number (a last label of
    digits or `0x…`, as in the WHATWG URL standard) is refused instead of resolved.
    """
    if not isinstance(host, str) or not 0 < len(host) <= 255:
        return None
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2].lower()):
        return _address(host)
    name = host.lower() if host.isascii() else _ascii(host)
    if name is None or not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        return None
    return name if "xn--" not in name or _ascii(name) == name else None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address if str(address) == text else None
    return unmapped(address) if "%" not in text and text.isascii() else None


def _ascii(name: str) -> str | None:
    if _FOREIGN_DOTS.search(name):
        return None
    try:
        return idna.encode(name.lower(), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
