"""Every hostile shape ends in a Parsed or an Unparsable within five seconds, and the mails beside it are untouched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest

from services.ingest.adapters.child_parser import CPU_SECONDS, ChildParser, pool
from services.ingest.domain.parsed import Parsed, Unparsable
from services.kit.children import ChildPool
from tests.unit.ingest_parse.reading import parsed
from tests.unit.ingest_parse.shapes import SHAPES, mail


@pytest.fixture(scope="module")
async def parser() -> AsyncIterator[ChildParser]:
    parser = ChildParser(pool(size=1))
    await parser.start()
    yield parser
    await parser.close()


def _cpu_seconds(parser: ChildParser) -> float:
    """Of the one child, which no shape kills."""
    [pid] = parser.pids
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def test_there_are_thirty_shapes_and_more() -> None:
    assert len(SHAPES) >= 30


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_hostile_mail_ends_in_time_and_hurts_no_other(parser: ChildParser, shape: str) -> None:
    hostile = SHAPES[shape]()
    before = _cpu_seconds(parser)
    neighbour, outcome, other = await asyncio.gather(parser.parse(mail()), parser.parse(hostile), parser.parse(mail()))
    assert _cpu_seconds(parser) - before < CPU_SECONDS / 2
    assert isinstance(outcome, Parsed), outcome  # all of them can be read within their limits
    assert isinstance(neighbour, Parsed)
    assert neighbour == other
    assert other.text == "hello\n"


async def test_a_mail_over_the_limit_is_not_even_asked(parser: ChildParser) -> None:
    assert await parser.parse(bytes((50 << 20) + 1)) == Unparsable("too_large")


async def test_a_child_that_is_killed_takes_no_other_mail_with_it() -> None:
    """With next to no CPU allowed, the costly mail dies and the child is replaced."""
    children = ChildPool(
        "services.ingest.adapters.parse_child", size=1, seconds=0.05, memory_bytes=512 << 20, output_bytes=60 << 20
    )
    parser = ChildParser(children)
    await parser.start()
    try:
        costly = SHAPES["10 MB of HTML"]()
        outcomes = await asyncio.gather(*(parser.parse(each) for each in (mail(), costly, mail())))
        assert [type(each) for each in outcomes] == [Parsed, Unparsable, Parsed]
        assert outcomes[1] == Unparsable("cpu")
    finally:
        await parser.close()


async def test_a_mail_that_wants_too_much_memory_is_given_up() -> None:
    children = ChildPool(
        "services.ingest.adapters.parse_child", size=1, seconds=5, memory_bytes=150 << 20, output_bytes=60 << 20
    )
    parser = ChildParser(children)
    await parser.start()
    try:
        outcome = await parser.parse(SHAPES["50 MB in one attachment"]())
        assert isinstance(outcome, Unparsable)
        assert isinstance(await parser.parse(mail()), Parsed)
    finally:
        await parser.close()


@pytest.mark.parametrize(
    ("shape", "cut"),
    [
        ("100,000 parts", "parts"),
        ("nesting 2,000", "depth"),
        ("100,000 headers", "headers"),
        ("50,000 commas", "headers"),
        ("10,000 recipients", "headers"),
        ("10,000 recipients in 200 Cc", "addresses"),
        ("20,000 RFC 2231 parts", "headers"),
        ("20 MB line", "text"),
        ("100,000 nested div", "html"),
        ("10 MB of HTML", "html"),
    ],
)
def test_what_is_cut_at_a_limit_is_said(shape: str, cut: str) -> None:
    mail = parsed(SHAPES[shape]())
    assert cut in mail.truncated
    assert len(mail.to) + len(mail.cc) <= 2_000
    assert len(mail.attachments) < 500


def test_no_newline_gets_out_of_a_subject_and_no_hidden_field_in() -> None:
    assert parsed(SHAPES["encoded newline in Subject"]()).subject == "Hi Bcc: evil@example.org"
    mail = parsed(SHAPES["bare CR"]())
    assert (mail.subject, mail.cc, mail.text) == ("s", (), "one\ntwo\n\nthree")


def test_a_charset_that_lies_or_hides_markup() -> None:
    assert parsed(SHAPES["lying charset"]()).text == "Gr\u00fc\u00dfe aus M\u00fcnchen"
    assert "script" not in (parsed(SHAPES["UTF-7"]()).html or "")
