"""Responses are the same whatever pieces they arrive in, and no server makes the parser grow."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.imap_lines import Garbled, Response, Responses

BODY = b"Subject: a\r\n\r\n* 9 EXISTS\r\na1 OK no\r\n{12}\r\n"
SAID = (
    b"* OK [ALERT] not a literal {3}\r\n"
    b"* 3 FETCH (UID 7 BODY[]<0> {%d}\r\n" % len(BODY) + BODY + b" RFC822.SIZE 3)\r\n"
    b"* 4 FETCH (UID 8 BODY[]<0> {0}\r\n)\r\n"
    b'* LIST (\\Sent) "/" {4}\r\nSent\r\n'
    b"+ go {2}\r\n"
    b"a1 OK done {9}\r\n"
)
EXPECTED: list[Response] = [
    [b"* OK [ALERT] not a literal {3}"],
    [b"* 3 FETCH (UID 7 BODY[]<0> {%d}" % len(BODY), BODY, b" RFC822.SIZE 3)"],
    [b"* 4 FETCH (UID 8 BODY[]<0> {0}", b"", b")"],
    [b'* LIST (\\Sent) "/" {4}', b"Sent", b""],
    [b"+ go {2}"],
    [b"a1 OK done {9}"],
]


@given(st.lists(st.integers(0, len(SAID)), max_size=40))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(SAID)]
    responses = Responses(1000)
    pieces = [SAID[low:high] for low, high in pairwise(edges)]
    assert [each for piece in pieces for each in responses.feed(piece)] == EXPECTED


def test_a_bare_line_feed_ends_a_line() -> None:
    assert list(Responses(0).feed(b"* 1 EXISTS\n* 2 EXISTS\r\n")) == [[b"* 1 EXISTS"], [b"* 2 EXISTS"]]


@pytest.mark.parametrize("said", [b"* 1 FETCH (BODY[] {1001}\r\n", b"* 1 FETCH (BODY[] {9999999999}\r\n"])
def test_a_literal_larger_than_asked_for_is_refused(said: bytes) -> None:
    with pytest.raises(Garbled):
        list(Responses(1000).feed(said))


def test_a_line_without_end_is_refused() -> None:
    responses = Responses(0)
    with pytest.raises(Garbled):
        _feed(responses, b"x" * 10_000)


def test_literals_without_end_are_refused() -> None:
    responses = Responses(10)
    list(responses.feed(b"* 1 FETCH (X {1}\r\n"))
    with pytest.raises(Garbled):
        _feed(responses, b"y {1}\r\n")


def test_clear_forgets_what_is_incomplete() -> None:
    responses = Responses(1000)
    list(responses.feed(b"* 1 FETCH (X {100}\r\nhalf"))
    responses.clear()
    assert list(responses.feed(b"* 1 EXISTS\r\n")) == [[b"* 1 EXISTS"]]


def test_whoever_stops_drops_the_rest() -> None:
    responses = Responses(1000)
    for response in responses.feed(b"a1 OK begin TLS\r\n* OK injected\r\n"):
        assert response == [b"a1 OK begin TLS"]
        break
    responses.clear()
    assert list(responses.feed(b"* 1 EXISTS\r\n")) == [[b"* 1 EXISTS"]]


def test_a_large_literal_in_small_pieces_is_linear() -> None:
    size = 4_000_000
    responses = Responses(size)
    list(responses.feed(b"* 1 FETCH (BODY[] {%d}\r\n" % size))
    begun = time.process_time()
    for _ in range(size // 100):
        list(responses.feed(b"z" * 100))
    assert time.process_time() - begun < 1.0
    assert [len(part) for part in next(responses.feed(b")\r\n"))] == [27, size, 1]


def _feed(responses: Responses, piece: bytes) -> None:
    for _ in range(200):
        list(responses.feed(piece))
