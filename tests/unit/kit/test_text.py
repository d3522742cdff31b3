"""Text from HTML reads as the HTML looked."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.sanitiser import TooLarge
from services.kit.text import to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("  a \n\t b  ", "a b"),
        ("a<b>b</b>c <i> d </i> e", "abc d e"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a<p>b", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<div><div><div>a</div></div></div><div></div><div>b</div>", "a\nb"),
        ("<p></p><p> </p><p>a</p><p></p>", "a"),
        ("<br><br>a<br><br><br><br><br><br>b<br>", "a\n\n\nb"),
        ("a &amp; b &lt;c&gt; &#233; &eacute; &nbsp;d", "a & b <c> é é d"),
        ("<h1>T</h1>x", "T\n\nx"),
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<ul><li>a<ol><li>x<li>y</ol></li><li>b</ul>", "- a\n  1. x\n  2. y\n- b"),
        ("<ul><li><p>a</p></li></ul>", "- a"),
        ("<table><tr><th>A</th><th>B</th></tr><tr><td>1<td>2</table>", "A | B\n1 | 2"),
        ("<table><tr><td>1</td><td></td><td>3</td></tr></table>", "1 |  | 3"),
        ("<table><tr><td><table><tr><td>a<td>b</table></td></tr><tr><td>c</td></tr></table>", "a | b\n\nc"),
        ('<a href="https://example.org/x">click</a>!', "click (https://example.org/x)!"),
        ('<a href="https://example.org/x"><b>cl</b>ick</a>', "click (https://example.org/x)"),
        ('<a href="https://example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:joe@example.org">joe@example.org</a>', "joe@example.org"),
        ('<a href="https://example.org/?a=1&amp;b=2">x</a>', "x (https://example.org/?a=1&b=2)"),
        ('<a href="https://example.org/x"></a>', "https://example.org/x"),
        ('<a href="https://example.org/x"><img alt="Logo"></a>', "Logo (https://example.org/x)"),
        ('<a title="href=http://evil.example" href=https://a.example>x</a>', "x (https://a.example)"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        (
            '<a href="https://a.example">x<a href="https://b.example">y</a>',
            "x (https://a.example)y (https://b.example)",
        ),
        ('<a name="top">x</a>', "x"),
        ('<img src="x" alt="a &amp; b">', "a & b"),
        ("<pre>a\n  b\n</pre>c", "a\n  b\n\nc"),
        ("<hr>a<hr>b", "----\na\n----\nb"),
        ("<head><title>T</title><style>p{a>b}</style></head><body>x", "x"),
        ("a<script>if (1<2) document.write('</b>')</script>b", "ab"),
        ("a<!-- <p> -->b<!---->c<!-->d", "abcd"),
        ("<!--[if mso]><p>mso</p><![endif]-->x", "x"),
        ("<svg><title>t</title><text>no</text></svg>x", "x"),
        ("a < b <3 c", "a < b <3 c"),
        ("<blockquote>q</blockquote>a", "q\n\na"),
        ("a\r\nb\u00a0c", "a b c"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("</p></table></ul></a>x", "x"),
        ("x<p", "x"),
    ],
)
def test_reads_as_it_looked(html: str, text: str) -> None:
    assert to_text(html) == text


@pytest.mark.parametrize(
    "html",
    ["<div>" * 200_000, "<ul>" * 200_000 + "<li>x", "<a href='http://x'>" * 40_000, "<b" * 500_000, "<style>" * 140_000,
     "<table><td>" * 90_000, "&" * 1_000_000, "&#x" * 300_000, "<pre>" * 200_000, "<br>" * 250_000, "<!--" * 250_000],
)  # fmt: skip
def test_is_linear_in_hostile_input(html: str) -> None:
    start = time.process_time()
    to_text(html)
    assert time.process_time() - start < 3


def test_ten_kilobytes_take_well_under_a_millisecond_or_two_on_a_busy_machine() -> None:
    html = (
        '<div><p style="margin:0">Dear customer, your order has been <b>shipped</b> and will arrive soon.</p></div>\n'
        * 95
    )
    start = time.process_time()
    for _ in range(20):
        to_text(html)
    assert (time.process_time() - start) / 20 < 0.003


def test_too_large_is_refused() -> None:
    with pytest.raises(TooLarge):
        to_text("x" * ((1 << 20) + 1))


@given(st.text(alphabet="<>/a bpulitd=\"'!-&;\n\x00é", max_size=200))
def test_never_raises_and_leaves_no_ragged_lines(html: str) -> None:
    text = to_text(html)
    assert text == "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
