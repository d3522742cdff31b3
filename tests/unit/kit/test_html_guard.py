"""What passes the guard is cheap for real parsers, and the depth they find is within the bound given here."""

from __future__ import annotations

import random
import time

import nh3
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.kit.html_guard import MAX_DEPTH, TooDeep, TooLarge, depth, guarded, prepared

MIB = 1 << 20
BOMBS = {
    "div": "<div>" * 100_000,
    "closed": "<div>" * 1_000 + "</div>" * 1_000,
    "span": "<span>" * 1_000,
    "unknown": "<x-y>" * 1_000,
    "table": "<table><tr><td>" * 1_000,
    "lists": "<ul><li>" * 1_000,
    "fake close in attribute": '<div title="</div>">' * 1_000,
    "fake close in comment": "<div><!-- </div> -->" * 1_000,
    "fake close in comment end": "<div><!--></div>-->" * 400 + "<div>" * 300,
    "fake close in cdata": "<svg>" + "<div><![CDATA[</div>]]>" * 1_000,
    "fake close in script": "<div><script></div></script>" * 1_000,
    "fake close in title": "<div><title></div></title>" * 1_000,
    "items of two kinds": "<dd><li>" * 1_000,
    "fake close in plaintext": "<div>" * 300 + "<plaintext></div>",
    "close beyond a table": "<div><table></div></table>" * 1_000,
    "close beyond a cell": "<span><table><td></span></table>" * 1_000,
    "close beyond a block": "<span><p></span></p>" * 1_000,
    "close of another": "<div></dib>" * 1_000,
    "quote in attribute name": '<div a"b>' * 1_000,
    "unquoted slash": "<div a=/></div/>" * 0 + "<div a=/>" * 1_000,
    "many blocks in formatting": ("<b a={}>" + "<div>" * 9 + "</b>" + "</div>" * 9) * 1_000,
    "formatting": "".join(f"<font a={number}>" for number in range(250)) + "<p>x" * 100_000,
    "attributes": "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">",
    "attributes without blanks": "<p " + "/".join(f"a{number}" for number in range(100_000)),
    "upper case": "<DIV>" * 1_000,
    "slash": "<div/>" * 1_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly(name: str) -> None:
    start = time.process_time()
    with pytest.raises(TooDeep):
        guarded(BOMBS[name].replace("{}", "1"), MIB)
    assert time.process_time() - start < 2


CHEAP = {
    "paragraphs": "<p>" * 300_000,
    "cells": "<table>" + "<td>" * 200_000,
    "items": "<ul>" + "<li>" * 200_000,
    "breaks": "<br>" * 200_000,
    "end tags": "</b>" * 250_000,
    "angle brackets": "<" * 1_000_000,
    "open comments": "<!--" * 250_000,
    "open quote": '<a href="' + "x" * 900_000,
    "entities": "&lt" * 300_000,
    "open style": "<style>" * 100_000,
    "deep enough": "<div>" * MAX_DEPTH,
    "blocks side by side": "<div><p><b>x</b></p></div>" * 30_000,
}


@pytest.mark.parametrize("name", CHEAP)
def test_what_passes_is_cheap_for_the_parser_too(name: str) -> None:
    start = time.process_time()
    nh3.clean(guarded(CHEAP[name], MIB))
    assert time.process_time() - start < 4


def _real_depth(html: str) -> int:
    """How deep a real parser nests the elements that count."""
    deepest = 0
    root = LexborHTMLParser(html, is_fragment=True).root
    open_nodes: list[tuple[LexborNode, int]] = [(root, 0)] if root is not None else []
    while open_nodes:
        node, level = open_nodes.pop()
        deepest = max(deepest, level)
        if node.next is not None:
            open_nodes.append((node.next, level))
        if node.child is not None:
            open_nodes.append((node.child, level + 1))
    return deepest


_NESTING = (
    "div span p b i a font table tr td th tbody caption li ul ol dl dd dt h1 h2 u em nobr center pre br img x-svg"
)
_NAMES = _NESTING.split()
_TRICKS = ["text", "<!-- </div> -->", "<br>", '<i title="</div>">', "</p>", "</table>", "<p", "<!x>", "</ >", "<a b='>"]


@pytest.mark.parametrize("seed", range(600))
def test_no_parser_nests_deeper_than_the_bound(seed: int) -> None:
    draw = random.Random(seed)
    names = draw.sample(_NAMES, draw.randint(2, 8))
    pattern = [_token(draw, names) for _ in range(draw.randint(3, 40))]
    html = prepared("".join(pattern) * draw.choice([1, 3, 10]), MIB)
    try:
        bound = depth(html)
    except TooDeep:
        return
    assert _real_depth(html) <= 3 * bound + 6  # tbody, tr and p are not counted and nest only through others


@pytest.mark.parametrize("seed", range(300))
def test_the_quick_look_passes_nothing_that_the_whole_would_refuse(seed: int) -> None:
    draw = random.Random(seed)
    html = prepared((_nested(draw, draw.randint(2, 5)) * draw.choice([1, 20, 200]))[:200_000], MIB)
    if _refused(html) is not None:
        with pytest.raises(TooDeep):
            guarded(html, MIB)


def _refused(html: str) -> TooDeep | None:
    try:
        depth(html)
    except TooDeep as refused:
        return refused
    return None


def _nested(draw: random.Random, levels: int) -> str:
    """Elements in one another, each closed in its turn, and often many of them."""
    name = draw.choice(_NAMES)
    inside = "".join(_nested(draw, levels - 1) for _ in range(draw.randint(1, 2))) if levels else "text"
    times = draw.choice([1, 1, 2, 40])
    return f"<{name} a=1>" * times + inside + f"</{name}>" * times


def _token(draw: random.Random, names: list[str]) -> str:
    if draw.random() < 0.15:
        return draw.choice(_TRICKS)
    name = draw.choice(names)
    name = name.upper() if draw.random() < 0.1 else name
    return f"</{name}>" if draw.random() < 0.45 else f"<{name} a={draw.randint(0, 9)}>"


@pytest.mark.parametrize("html", ["a" * 101, "é" * 51, "<p>" * 34])
def test_the_size_is_in_octets(html: str) -> None:
    with pytest.raises(TooLarge):
        guarded(html, 100)


@pytest.mark.parametrize("name", ["script", "STYLE", "svg", "Math", "textarea", "select", "iframe", "template"])
def test_awkward_elements_do_not_reach_a_parser(name: str) -> None:
    for html in (
        f"<{name}>x</{name}>",
        f"<{name}/>",
        f"<{name}\n a>",
        f"<scr<!-- -->ipt><{name} >",
        f"<sv<style></style>g><{name} >",
    ):
        left = guarded(html, MIB).lower()
        assert f"<{name.lower()}" not in left.replace(f"<x-{name.lower()}", "")
        assert "<script" not in left
        assert "<svg" not in left


def test_lone_surrogates_and_nul_pass() -> None:
    nh3.clean(guarded("a\ud800b\x00c", MIB))
