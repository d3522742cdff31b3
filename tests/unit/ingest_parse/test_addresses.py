"""Address lists: what the standard says, and what mailers write."""

from __future__ import annotations

import pytest

from services.ingest.domain.mail_addresses import MOST, addresses


def pairs(value: str) -> list[tuple[str, str]]:
    return [(each.address, each.name) for each in addresses(value)[0]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ana@example.com", [("ana@example.com", "")]),
        ("Ana <ana@example.com>", [("ana@example.com", "Ana")]),
        ('"Doe, Ana" <ana@example.com>, bob@example.com', [("ana@example.com", "Doe, Ana"), ("bob@example.com", "")]),
        ("Doe, Ana <ana@example.com>", [("ana@example.com", "Doe, Ana")]),
        ('"Ana \\"A\\" Doe" <ana@example.com>', [("ana@example.com", 'Ana "A" Doe')]),
        ("=?utf-8?Q?Ana_L=C3=BAcia?= <ana@example.com>", [("ana@example.com", "Ana Lúcia")]),
        ('"=?utf-8?B?QW5h?=" <ana@example.com>', [("ana@example.com", "Ana")]),
        ("ana@example.com (Ana Doe)", [("ana@example.com", "Ana Doe")]),
        ("Ana (the (nested) one) <ana@example.com>", [("ana@example.com", "Ana")]),
        ("Pete(A nice \\) chap) <pete@silly.test>", [("pete@silly.test", "Pete")]),
        ("A Group:Ed <joe@where.test>,Jo <jo@one.test>;", [("joe@where.test", "Ed"), ("jo@one.test", "Jo")]),
        ("Undisclosed recipients:;", []),
        ("<@a.example,@b.example:ana@example.com>", [("ana@example.com", "")]),
        ('"quoted local"@example.com', [('"quoted local"@example.com', "")]),
        ("ana @ example . com", [("ana@example.com", "")]),
        ("<ana@example.com> <ana@example.com>", [("ana@example.com", "")]),
        ('O"Brien <ob@example.com>', [("ob@example.com", "O Brien")]),
        ("bob@evil.example <ana@example.com>", [("ana@example.com", "bob@evil.example")]),
        ("=?utf-8?B?QW5hIDxhbmFAZXhhbXBsZS5jb20+?=", [("ana@example.com", "Ana")]),
        ("ana@[192.0.2.1], bob@[IPv6:2001:db8::1]", [("ana@[192.0.2.1]", ""), ("bob@[IPv6:2001:db8::1]", "")]),
        ("mailto:ana@example.com", [("ana@example.com", "")]),
        ("jöhn@exämple.de", [("jöhn@exämple.de", "")]),
        ("a@x.example; b@x.example", [("a@x.example", ""), ("b@x.example", "")]),
        ("root", [("root", "")]),
        ("", []),
        (",, ,", []),
    ],
)  # fmt: skip
def test_an_address_list(value: str, expected: list[tuple[str, str]]) -> None:
    assert pairs(value) == expected


@pytest.mark.parametrize(
    "value", ["=?utf-8?Q?a=0D=0ABcc:_b?= <ana@example.com>", "a\0b <ana@example.com>", "x\r\n y <ana@example.com>"]
)
def test_no_name_breaks_out_of_its_line(value: str) -> None:
    [(address, name)] = pairs(value)
    assert address == "ana@example.com"
    assert name.isprintable()


def test_no_name_turns_the_line_around() -> None:
    assert pairs("\u202egnp.exe\u202c <ana@example.com>") == [("ana@example.com", "gnp.exe")]


def test_too_many_are_cut_and_it_is_said() -> None:
    found, full = addresses(",".join(f"u{number}@example.com" for number in range(MOST + 5)))
    assert len(found) == MOST
    assert full
