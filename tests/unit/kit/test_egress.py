"""No spelling of a private destination gets past the guard, and ordinary mail hosts do."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.egress import Allowed, Denied, Egress, read_host
from services.kit.egress_table import DENIED
from tests.unit.kit.private_spellings import ODD, PRIVATE_SPELLINGS

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
PORTS = frozenset({465, 587})


class Answers:
    """A resolver with fixed answers that counts its calls."""

    def __init__(self, *addresses: str, error: Exception | None = None) -> None:
        self.addresses, self.error, self.asked = addresses, error, list[str]()

    async def resolve(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if self.error:
            raise self.error
        return self.addresses


def test_the_list_is_long_and_without_repeats() -> None:
    assert len(set(PRIVATE_SPELLINGS)) == len(PRIVATE_SPELLINGS) >= 100


@pytest.mark.parametrize("spelling", PRIVATE_SPELLINGS)
async def test_private_spellings_are_refused_without_a_look_up(spelling: str) -> None:
    resolver = Answers("93.184.215.14")
    for egress in (Egress(resolver=resolver), Egress(LOOPBACK, resolver)):
        verdict = await egress.check(spelling, 587, ports=PORTS)
        assert isinstance(verdict, Denied)
        assert verdict.code in ("host_not_allowed", "invalid_host")
    assert resolver.asked == []


@pytest.mark.parametrize("spelling", ODD)
def test_odd_spellings_are_no_hosts_at_all(spelling: str) -> None:
    assert read_host(spelling) is None


@pytest.mark.parametrize("address", [text for text in PRIVATE_SPELLINGS if text not in ODD])
async def test_a_public_name_with_one_private_answer_is_refused(address: str) -> None:
    verdict = await Egress(resolver=Answers("93.184.215.14", address)).check("mail.example.org", 587, ports=PORTS)
    assert isinstance(verdict, Denied)
    assert verdict.code == "host_not_allowed"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("mail.example.org", "mail.example.org"),
        ("MAIL.Example.ORG", "mail.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("smtp1.3com.example", "smtp1.3com.example"),
    ],
)
async def test_ordinary_names_pass_with_the_addresses_that_were_looked_at(host: str, name: str) -> None:
    resolver = Answers("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14")
    verdict = await Egress(resolver=resolver).check(host, 587, ports=PORTS)
    assert verdict == Allowed(("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"), name)
    assert resolver.asked == [name]


async def test_public_literals_and_translated_public_addresses_pass() -> None:
    egress = Egress(resolver=Answers("64:ff9b::93.184.215.14"))
    assert await egress.check("93.184.215.14", 465, ports=PORTS) == Allowed(("93.184.215.14",), "93.184.215.14")
    assert isinstance(await egress.check("mail.example.org", 465, ports=PORTS), Allowed)


async def test_the_platform_can_allow_a_network_and_only_that() -> None:
    egress = Egress((*LOOPBACK, IPv6Network("::1/128")), Answers("127.0.0.1", "::1"))
    assert await egress.check("localhost", 587, ports=PORTS) == Allowed(("127.0.0.1", "::1"), "localhost")
    assert await egress.check("::ffff:127.0.0.1", 587, ports=PORTS) == Allowed(("127.0.0.1",), "127.0.0.1")
    assert isinstance(await egress.check("10.0.0.1", 587, ports=PORTS), Denied)


@pytest.mark.parametrize("port", [25, 0, -1, 65_536, 22])
async def test_other_ports_are_refused_before_the_look_up(port: int) -> None:
    resolver = Answers("93.184.215.14")
    verdict = await Egress(resolver=resolver).check("mail.example.org", port, ports=PORTS | {0, -1, 65_536})
    assert isinstance(verdict, Denied)
    assert verdict.code == "port_not_allowed"
    assert resolver.asked == []


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), TimeoutError(), UnicodeError("x")])
async def test_names_without_an_answer_are_unresolvable(error: Exception) -> None:
    for resolver in (Answers(error=error), Answers()):
        verdict = await Egress(resolver=resolver).check("mail.example.org", 587, ports=PORTS)
        assert isinstance(verdict, Denied)
        assert verdict.code == "unresolvable"


@pytest.mark.parametrize("answer", ["fe80::1%eth0", "garbage", "127.1"])
async def test_answers_that_are_no_plain_address_are_refused(answer: str) -> None:
    verdict = await Egress(resolver=Answers(answer)).check("mail.example.org", 587, ports=PORTS)
    assert isinstance(verdict, Denied)
    assert verdict.code == "host_not_allowed"


async def test_the_machines_resolver_finds_localhost_and_the_guard_refuses_it() -> None:
    assert isinstance(await Egress().check("localhost", 587, ports=PORTS), Denied)
    assert isinstance(await Egress((*LOOPBACK, IPv6Network("::1/128"))).check("localhost", 587, ports=PORTS), Allowed)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_the_standard_library_calls_private_is_denied_here_too(address: object) -> None:
    found = ip_address(str(address))
    if not found.is_global or found.is_multicast:
        assert any(found in net for net, _ in DENIED)


@given(st.text(max_size=40))
def test_reading_a_host_never_raises(text: str) -> None:
    read_host(text)
