"""Status lines, FETCH, SEARCH and LIST as values."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from services.ingest.adapters.imap_answers import (
    FetchedPart,
    Status,
    read_fetch,
    read_list,
    read_search,
    read_status,
)
from services.ingest.adapters.imap_lines import Garbled, Response


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"OK done", Status("OK", None, b"", "done")),
        (b"no [authenticationFailed] wrong", Status("NO", "AUTHENTICATIONFAILED", b"", "wrong")),
        (b"OK [UIDVALIDITY 17] x", Status("OK", "UIDVALIDITY", b"17", "x")),
        (b"OK [CAPABILITY IMAP4rev1 IDLE] hi", Status("OK", "CAPABILITY", b"IMAP4rev1 IDLE", "hi")),
        (b"BYE", Status("BYE", None, b"", "")),
        (b"NO [] x", Status("NO", None, b"", "[] x")),
        (b"OK [half", Status("OK", None, b"", "[half")),
    ],
)
def test_status(line: bytes, status: Status) -> None:
    assert read_status(line) == status


@pytest.mark.parametrize("line", [b"", b"OKAY", b"3 EXISTS", b"NOOP"])
def test_no_status(line: bytes) -> None:
    assert read_status(line) is None


WHEN = datetime(2026, 11, 24, 17, 2, 54, tzinfo=UTC)


@pytest.mark.parametrize(
    ("response", "part"),
    [
        (
            [b'* 3 FETCH (UID 7 RFC822.SIZE 12 INTERNALDATE "24-Nov-2026 14:02:54 -0300" BODY[]<0> {2}', b"* ", b")"],
            FetchedPart(7, 12, WHEN, b"* "),
        ),
        ([b"* 3 FETCH (body[]<0> {1}", b"x", b" uid 7)"], FetchedPart(7, None, None, b"x")),
        ([b'* 3 FETCH (UID 7 BODY[] "a\\"b" FLAGS (\\Seen (x) "y)"))'], FetchedPart(7, None, None, b'a"b')),
        ([b"* 3 FETCH (UID 7 BODY[]<0> NIL RFC822.SIZE 5)"], FetchedPart(7, 5, None, None)),
        ([b'* 3 FETCH (UID 7 BODY[]<9> "")'], FetchedPart(7, None, None, b"")),
        ([b"* 3 FETCH (UID 7 BODY[]<0> {3}", b"NIL", b")"], FetchedPart(7, None, None, b"NIL")),
        ([b"* 3 FETCH (FLAGS (\\Seen))"], None),
        ([b'* 3 FETCH (UID 7 INTERNALDATE " 4-Foo-2026 14:02:54 -0300")'], FetchedPart(7, None, None, None)),
        ([b'* 3 FETCH (UID 7 INTERNALDATE "31-Feb-2026 14:02:54 -0300")'], FetchedPart(7, None, None, None)),
    ],
)
def test_fetch(response: Response, part: FetchedPart | None) -> None:
    assert read_fetch(response) == part


@pytest.mark.parametrize(
    "response",
    [
        [b"* 3 FETCH"],
        [b"* 3 FETCH (UID 7"],
        [b"* 3 FETCH (UID 7 BODY[]<0> {2}", b"ab", b"the rest of it"],
        [b'* 3 FETCH (UID 7 BODY[] "open)'],
        [b"* 3 FETCH (UID)"],
    ],
)
def test_what_is_no_fetch_is_garbled(response: Response) -> None:
    with pytest.raises(Garbled):
        read_fetch(response)


def test_a_hostile_fetch_is_linear() -> None:
    begun = time.process_time()
    for hostile in (b"(" * 50_000, b'"' * 50_001, b" " * 50_000, b'"\\' * 25_000):
        with pytest.raises(Garbled):
            read_fetch([b"* 1 FETCH (UID 1 X " + hostile])
    assert time.process_time() - begun < 1.0


def test_parts_of_one_mail_come_together() -> None:
    flags = FetchedPart(7, None, None, None)
    whole = FetchedPart(7, 3, WHEN, b"abc")
    assert flags.over(whole) == whole == whole.over(flags)
    assert not flags.tells


def test_search() -> None:
    assert read_search([b"* SEARCH 4 7 (MODSEQ 9)"]) == [4, 7]
    assert read_search([b"* SEARCH"]) == []


def test_list() -> None:
    assert read_list([rb'* LIST (\HasNoChildren \Sent) "/" "My \"Sent\""']) == (
        frozenset({r"\hasnochildren", r"\sent"}),
        b'My "Sent"',
    )
    assert read_list([rb"* LIST (\Sent) NIL {4}", b"Sent", b""]) == (frozenset({r"\sent"}), b"Sent")
    assert read_list([b"* FLAGS ()"]) is None
