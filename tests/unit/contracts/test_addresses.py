"""Addresses: what is one, what is none, and that nothing that passes can break a header or an SMTP command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.addresses import Refused, breaks_header, domain_of, needs_smtputf8, parse

GOOD = {
    "ana@example.com": "ana@example.com",
    "Ana.Lima+pedidos@EXAMPLE.com": "Ana.Lima+pedidos@example.com",
    "josé@example.com": "josé@example.com",
    "ana@bücher.example": "ana@xn--bcher-kva.example",
    "ana@xn--bcher-kva.example": "ana@xn--bcher-kva.example",
    "o'neil@example.co.uk": "o'neil@example.co.uk",
    "用户@例子.广告": "用户@xn--fsqu00a.xn--4rr70v",
    "x" * 64 + "@example.com": "x" * 64 + "@example.com",
}
BAD = [
    "", "@", "ana", "ana@", "@example.com", "ana@@example.com", "ana@example", "ana@example..com", "ana@.example.com",
    "ana@example.com.", ".ana@example.com", "ana.@example.com", "a..na@example.com", "ana lima@example.com",
    " ana@example.com", "ana@example.com ", "<ana@example.com>", "Ana <ana@example.com>", "ana@example.com (Ana)",
    "(Ana)ana@example.com", '"ana"@example.com', '"a b"@example.com', "ana@[127.0.0.1]", "ana@[IPv6:::1]",
    "ana@127.0.0.1", "ana@-example.com", "ana@example-.com", "ana@exa_mple.com", "ana@exam ple.com",
    "ana@example.com\r\nBcc: eve@evil.example", "ana\r\n@example.com", "ana\n@example.com", "ana\x00@example.com",
    "ana@example.com\x00", "ana\t@example.com", "ana\u2028@example.com", "ana\u200b@example.com",
    "\ufeffana@example.com",
    "ana\u202e@example.com", "ana@example.com,eve@evil.example", "ana@example.com;eve@evil.example",
    "ana,eve@example.com",
    "ana;eve@example.com", "ana:eve@example.com", "@relay.example:ana@example.com", "ana@example.com>",
    "ana\\@example.com",
    "ana@example.com/../x", "ana@ex%61mple.com", "ana@example.com?cc=eve@evil.example", "mailto:ana@example.com",
    "x" * 65 + "@example.com", "é" * 33 + "@example.com", "a@" + "b" * 64 + ".example", "a@" + "b." * 130 + "example",
    "ana@xn--zzzzzz999999.example", "ana@\ud800.example", "ana@example.c\u0000m", "ana@exa\nmple.com", "ana@ ", "ana@.",
    "ana@..", "ana@a.1", "ana\x7f@example.com", "ana\x85@example.com",
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), GOOD.items())
def test_good_ones_are_made_canonical(text: str, canonical: str) -> None:
    assert parse(text) == canonical
    assert parse(canonical) == canonical


@pytest.mark.parametrize("text", BAD)
def test_bad_ones_are_refused_with_a_reason(text: str) -> None:
    refused = parse(text)
    assert isinstance(refused, Refused)
    assert refused.code
    assert refused.detail


def test_at_least_sixty_hostile_shapes_are_refused() -> None:
    assert len(BAD) >= 60


@given(st.text(max_size=80) | st.from_regex(r"[a-z.]{1,8}@[a-z\r\n\x00 <>.]{1,12}", fullmatch=True))
def test_whatever_passes_is_safe_in_a_command_and_a_header(text: str) -> None:
    found = parse(text)
    if isinstance(found, str):
        assert not re.search(r"[\x00-\x20<>,;:\"()\[\]\\\x7f]", found)
        assert found.count("@") == 1
        assert parse(found) == found


def test_the_small_questions() -> None:
    assert domain_of("ana@example.com") == "example.com"
    assert needs_smtputf8("josé@example.com")
    assert not needs_smtputf8("ana@example.com")
    assert breaks_header("a\r\nb")
    assert not breaks_header("a b\tc")
