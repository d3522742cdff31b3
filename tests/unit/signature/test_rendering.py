"""Templates through the real child: what they may, and what happens to those that may not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from contracts import limits
from contracts.signature import SignatureMode, SignatureTemplate
from services.kit.rendering import Rendered, Renderer, RenderFailed, Variables, pool

ANA = Variables(operator_name="Ana <Souza>", operator_email="ana@example.com", client_name="Rui & Co")


@pytest.fixture(scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    """One for the module."""
    made = Renderer(pool())
    yield made
    await made.close()


async def _render(renderer: Renderer, html: str = "", text: str = "", variables: Variables = ANA) -> Rendered:
    outcome = await renderer.render(SignatureTemplate(html=html, text=text), variables)
    assert isinstance(outcome, Rendered), outcome
    return outcome


async def test_values_are_escaped_in_html_and_plain_in_text(renderer: Renderer) -> None:
    made = await _render(renderer, "<b>{{ operator.name }}</b>", "{{ operator.name }} - {{ client.name }}")
    assert made == Rendered("<b>Ana &lt;Souza&gt;</b>", "Ana <Souza> - Rui & Co", formatted=True)


async def test_images_are_named_and_lines_are_no_format(renderer: Renderer) -> None:
    blob = "01935e44-7d1c-7e5b-9b38-2f60c1a4d8e7"
    made = await _render(renderer, f'<p>{{{{ operator.name }}}}<br></p><img src="blob:{blob}" alt="Logo">')
    assert (made.images, made.formatted, made.text) == ((blob,), True, "Ana <Souza>\n\nLogo")
    assert f'src="cid:{blob}@malote"' in made.html
    for lines in ("<p>Ana<br>\nVendas</p>", "<div>Ana</div>"):
        assert not (await _render(renderer, lines)).formatted
    assert not (await _render(renderer, text="Ana < Vendas")).formatted


async def test_the_other_part_is_derived(renderer: Renderer) -> None:
    assert (await _render(renderer, html="<p>{{ operator.name }}</p><p>Vendas</p>")).text.split() == [
        "Ana",
        "<Souza>",
        "Vendas",
    ]
    assert (await _render(renderer, text="{{ operator.name }}\nVendas")).html == "Ana &lt;Souza&gt;<br>Vendas"


async def test_what_comes_out_is_sanitised_after_substitution(renderer: Renderer) -> None:
    hostile = Variables(operator_name="<script>alert(1)</script>", client_name="javascript:alert(1)")
    template = (
        "<script>x</script><a href='{{ client.name }}' onclick=x>{{ operator.name }}</a><img src='http://x/y.png'>"
    )
    made = await _render(renderer, template, variables=hostile)
    assert "script>" not in made.html
    assert "javascript" not in made.html
    assert "onclick" not in made.html
    assert "http://x" not in made.html
    assert made.remote_images == 1
    pieces = "{{ '<scr' | append: 'ipt>' }}<b>{% assign s = '<script>' %}{{ s }}</b>"
    assert "<script" not in (await _render(renderer, pieces)).html


async def test_logic_works_and_unknown_values_are_empty(renderer: Renderer) -> None:
    source = "{% if operator.email != '' %}{{ operator.email | upcase }}{% endif %}[{{ tenant.name }}]"
    assert (await _render(renderer, text=source)).text == "ANA@EXAMPLE.COM[]"


async def test_nothing_is_empty(renderer: Renderer) -> None:
    assert await _render(renderer) == Rendered("", "")
    explicit = await renderer.render(SignatureTemplate(mode=SignatureMode.NONE, html="x"), ANA)
    assert explicit == Rendered("", "")


@pytest.mark.parametrize(
    ("html", "code", "line"),
    [
        ("a\n{{ operator.name", "syntax", 2),
        ("a\nb\n{% if operator.name %}x", "syntax", 3),
        ("{% include 'x' %}", "syntax", 1),
        ("{% render 'x' %}", "syntax", 1),
        ("{{ operator.name | safe }}", "syntax", 1),
        ("\n{{ operator.password }}", "unknown_variable", 2),
        ("{{ operator }}", "unknown_variable", 1),
        ("{{ operator[client.name] }}", "unknown_variable", 1),
        ("{{ settings.secret }}", "unknown_variable", 1),
        ("{% for i in (1..99) %}{% for j in (1..99) %}x{% endfor %}{% endfor %}", "too_large", 1),
        ("{% for i in (1..2000) %}" + "x" * 100 + "{% endfor %}", "too_large", 1),
        ("<div>" * 3000, "too_large", None),
    ],
)
async def test_what_is_refused(renderer: Renderer, html: str, code: str, line: int | None) -> None:
    outcome = await renderer.render(SignatureTemplate(html=html), ANA)
    assert isinstance(outcome, RenderFailed)
    assert (outcome.code, outcome.line, outcome.part) == (code, line, "html")
    assert outcome.detail.endswith(".")
    assert "Ana" not in outcome.reason


async def test_a_template_that_never_ends_costs_only_itself(renderer: Renderer) -> None:
    endless = renderer.render(SignatureTemplate(html="{{ (1..99999999999) | join: 'x' }}"), ANA)
    others = [_render(renderer, text=f"{n} {{{{ client.name }}}}") for n in range(20)]
    lost, *rest = await asyncio.gather(endless, *others)
    assert isinstance(lost, RenderFailed)
    assert lost.code in ("too_slow", "too_large")
    assert [one.text for one in rest if isinstance(one, Rendered)] == [f"{n} Rui & Co" for n in range(20)]


async def test_what_is_known_does_not_reach_the_child() -> None:
    renderer = Renderer(pool())
    template = SignatureTemplate(html="<b>{{ operator.name }}</b>")
    first, again = await asyncio.gather(*(renderer.render(template, ANA) for _ in range(2)))
    await renderer.close()
    assert first == again
    other_client = Variables(operator_name=ANA.operator_name, operator_email=ANA.operator_email, client_name="Eva")
    renderer._children = None  # type: ignore[assignment]
    assert await renderer.render(template, other_client) == first
    with pytest.raises(AttributeError):
        await renderer.render(template, Variables(operator_name="Eva"))


async def test_bodies_are_sanitised(renderer: Renderer) -> None:
    made = await renderer.clean("<p onclick=x>Oi</p><script>x</script>")
    assert made == Rendered("<p>Oi</p>", "Oi")
    assert isinstance(await renderer.clean("x" * (limits.HTML_SIZE + 1)), RenderFailed)
