"""Where the signature stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signature.domain.placing import place_html, place_text, text_as_html

WRAPPED = "Em 1 de jan. de 2026, Rui Lima\n<rui@x.net> escreveu:\n\n> a\n>\n> b"


@pytest.mark.parametrize(
    ("body", "placed"),
    [
        ("Oi", "Oi\n\n-- \nS\n"),
        ("Oi\r\n\r\n", "Oi\n\n-- \nS\n"),
        ("", "-- \nS\n"),
        ("Oi\n\n> antes\n> mais\n", "Oi\n\n-- \nS\n\n> antes\n> mais\n"),
        ("Oi\n\nOn 1 Jan, Rui wrote:\n> antes", "Oi\n\n-- \nS\n\nOn 1 Jan, Rui wrote:\n> antes\n"),
        (f"Oi\n\n{WRAPPED}", f"Oi\n\n-- \nS\n\n{WRAPPED}\n"),
        ("> antes\n\nresposta", "> antes\n\nresposta\n\n-- \nS\n"),
        ("> antes\nresposta\n> fim", "> antes\nresposta\n\n-- \nS\n\n> fim\n"),
        ("> tudo", "-- \nS\n\n> tudo\n"),
        ("Lista:\n- a\n- b", "Lista:\n- a\n- b\n\n-- \nS\n"),
    ],
)  # fmt: skip
def test_in_text(body: str, placed: str) -> None:
    assert place_text(body, "S") == placed


BLOCK = "<div><br>-- <br></div><div>S</div>"


@pytest.mark.parametrize(
    ("above", "quoted"),
    [
        ("<p>Oi</p>", ""),
        ("<p>Oi</p>", "<blockquote><p>antes</p></blockquote>"),
        ("<p>Oi</p>", "<blockquote>a<blockquote>b</blockquote></blockquote><br>&nbsp;"),
        ("<p>Oi</p>", "<p>On 1 Jan, Rui wrote:</p><blockquote>a</blockquote>"),
        ("<p>Oi</p>", "<div>Em 1 Jan, Rui escreveu:<br></div><blockquote>a</blockquote>"),
        ("<blockquote>a</blockquote><p>resposta</p>", ""),
        ("<blockquote>a</blockquote><p>r</p>", "<blockquote>b</blockquote>"),
        ("<p>x</blockquote>", ""),
        ("<p>x<blockquote>open", ""),
        ("", ""),
    ],
)
def test_in_html(above: str, quoted: str) -> None:
    assert place_html(above + quoted, "S") == above + BLOCK + quoted


def test_a_quote_inside_a_wrapper_keeps_the_wrapper_whole() -> None:
    body = "<div>Oi<blockquote>a</blockquote></div>"
    assert place_html(body, "S") == f"<div>Oi{BLOCK}<blockquote>a</blockquote></div>"


@given(st.text(alphabet="a>:\n \r", max_size=60))
def test_no_line_is_lost(body: str) -> None:
    placed = place_text(body, "S").split("\n")
    written = [line.strip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    rest = [line.strip() for line in placed if line.strip()]
    at = placed.index("-- ")
    assert placed[at + 1] == "S"
    for line in ("--", "S"):
        rest.remove(line)
    assert rest == written


@given(st.text(alphabet="<>/blockquote p:", max_size=80))
def test_html_is_only_added_to(body: str) -> None:
    assert place_html(body, "S").replace(BLOCK, "", 1) == body


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Oi <b>\r\n  & tchau\n", "<div>Oi &lt;b&gt;<br>\n &nbsp;&amp; tchau</div>{}"),
        ("Oi\n\nAna wrote:\n> antes", "<div>Oi</div>{}<div><br>Ana wrote:<br>\n&gt; antes</div>"),
        (
            "Veja https://x.net/?a=1&b=2.",
            '<div>Veja <a href="https://x.net/?a=1&amp;b=2">https://x.net/?a=1&amp;b=2</a>.</div>{}',
        ),
        ("(http://x.net/a)", '<div>(<a href="http://x.net/a">http://x.net/a</a>)</div>{}'),
        ("javascript:x", "<div>javascript:x</div>{}"),
        ('http://x"onclick=y', '<div><a href="http://x">http://x</a>&quot;onclick=y</div>{}'),
    ],
)
def test_a_text_as_html(text: str, html: str) -> None:
    assert text_as_html(text, "<b>S</b>") == html.format("<div><br>-- <br></div><div><b>S</b></div>")
