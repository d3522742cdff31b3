"""Where a tenant's host name must never lead: special-purpose addresses, and what hides inside others.

Rows follow the IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2026), the multicast registries and RFC
4291. `ipaddress.is_global` is not asked: its table is as old as the interpreter (3.11.7 calls
`::ffff:169.254.169.254` global).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_V4 = {
    "0.0.0.0/8": "this network (RFC 791)",
    "10.0.0.0/8": "private use (RFC 1918)",
    "100.64.0.0/10": "shared address space (RFC 6598)",
    "127.0.0.0/8": "loopback (RFC 1122)",
    "169.254.0.0/16": "link local, cloud metadata (RFC 3927)",
    "172.16.0.0/12": "private use (RFC 1918)",
    "192.0.0.0/24": "IETF protocol assignments (RFC 6890)",
    "192.0.2.0/24": "documentation (RFC 5737)",
    "192.31.196.0/24": "AS112 (RFC 7535)",
    "192.52.193.0/24": "AMT (RFC 7450)",
    "192.88.99.0/24": "6to4 relay anycast (RFC 7526)",
    "192.168.0.0/16": "private use (RFC 1918)",
    "192.175.48.0/24": "AS112 (RFC 7534)",
    "198.18.0.0/15": "benchmarking (RFC 2544)",
    "198.51.100.0/24": "documentation (RFC 5737)",
    "203.0.113.0/24": "documentation (RFC 5737)",
    "224.0.0.0/4": "multicast (RFC 5771)",
    "240.0.0.0/4": "reserved, limited broadcast (RFC 1112, RFC 8190)",
    "168.63.129.16/32": "cloud platform metadata",
    "100.100.100.200/32": "cloud metadata",
}
_V6 = {
    "::/3": "not global unicast (loopback, unspecified, mapped, local-use translation)",
    "2001::/23": "IETF protocol assignments, Teredo (RFC 2928, RFC 4380)",
    "2001:db8::/32": "documentation (RFC 3849)",
    "2002::/16": "6to4 (RFC 3056)",
    "2620:4f:8000::/48": "AS112 (RFC 7534)",
    "3fff::/20": "documentation (RFC 9637)",
    "4000::/2": "not global unicast (segment routing, unassigned)",
    "8000::/1": "not global unicast (unique local, link local, site local, multicast)",
}
DENIED: tuple[tuple[Network, str], ...] = (
    *((IPv4Network(net), why) for net, why in _V4.items()),
    *((IPv6Network(net), why) for net, why in _V6.items()),
)

_MAPPED = IPv6Network("::ffff:0:0/96")
_TRANSLATED = IPv6Network("64:ff9b::/96")
_EMBEDDING = (IPv6Network("::/96"), IPv6Network("::ffff:0:0:0/96"), IPv6Network("64:ff9b:1::/48"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")


def unmapped(address: Address) -> Address:
    """The IPv4 address behind an IPv4-mapped one (RFC 4291 section 2.5.5.2): the same destination, so one form only."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def faces(address: Address) -> Iterator[Address]:
    """Every address a packet to this one may end at: itself and what it embeds.

    A NAT64 address (RFC 6052, 64:ff9b::/96) is judged by the IPv4 address inside alone.
    """
    if isinstance(address, IPv4Address):
        yield address
        return
    number = int(address)
    if address in _TRANSLATED:
        yield IPv4Address(number & 0xFFFFFFFF)
        return
    yield address
    if any(address in net for net in _EMBEDDING):
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    if address in _TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFFFFFF)
        yield IPv4Address(~number & 0xFFFFFFFF)
