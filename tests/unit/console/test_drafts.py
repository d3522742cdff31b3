"""Drafts at the console: written into their forms, joined where one person wrote in two places, gone once taken."""

from __future__ import annotations

import re

import pytest

from services.gateway.console.drafts import joined
from tests.unit.console.test_doors import Browser
from tests.unit.gateway.world import CHANNEL, TENANT, World, token, world


@pytest.fixture
async def here() -> World:
    return await world()


async def keep(browser: Browser, name: str, **fields: str) -> str:
    """As the page's script does; which draft it is now."""
    said = {"draft": name, **{key if key in ("over", "join") else f"f.{key}": value for key, value in fields.items()}}
    answer = await browser.change("/drafts", await browser.csrf(), **said)
    assert answer.is_success, answer.text
    return answer.text if answer.status_code == 200 else "anew"


async def test_a_draft_stands_in_the_composer_of_its_writer(here: World) -> None:
    talk = here.conversation(subject="Pedido").conversation_id
    ana, rui = Browser(here, token(sub="ana")), Browser(here, token(sub="rui"))
    at = await keep(ana, talk, subject="Outro", text='Bom dia, <b> & "Carla"')
    page = (await ana.client.get(f"/c/{talk}")).text
    assert 'value="Outro"' in page
    assert "Bom dia, &lt;b&gt; &amp; &#34;Carla&#34;</textarea>" in page
    assert f'data-kept="{at}"' in page
    assert "Bom dia" not in (await rui.client.get(f"/c/{talk}")).text
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    await ana.change(f"/c/{talk}/send", await ana.csrf(), subject="Outro", text="Bom dia", key=key[1])
    assert not here.drafts.kept
    assert "Outro" not in (await ana.client.get("/c/new")).text


async def test_what_was_refused_stays_a_draft(here: World) -> None:
    talk = here.conversation(subject="Pedido").conversation_id
    ana = Browser(here, token(sub="ana"))
    await keep(ana, talk, subject="", text="Sem assunto")
    answer = await ana.change(f"/c/{talk}/send", await ana.csrf(), subject=" ", text="Sem assunto", key="k")
    assert (answer.status_code, "data-typed" in answer.text) == (422, True)
    assert here.drafts.kept


async def test_the_same_again_changes_nothing(here: World) -> None:
    ana = Browser(here, token(sub="ana"))
    first = await keep(ana, "start", text="Olá")
    here.clock.advance(1)
    assert await keep(ana, "start", text="Olá", join="1", over="") == first
    second = await keep(ana, "start", text="Olá!", over=first)
    assert second != first
    assert await keep(ana, "start") == ""
    assert not here.drafts.kept


async def test_what_comes_late_joins_what_was_written_elsewhere(here: World) -> None:
    ana = Browser(here, token(sub="ana"))
    first = await keep(ana, "start", text="Olá", do="write")
    here.clock.advance(1)
    await keep(ana, "start", text="De casa", do="just")
    assert await keep(ana, "start", text="Olá, e mais", do="write", over=first, join="1") == "anew"
    fields = here.drafts.kept[TENANT, "ana", "start"].fields
    assert fields == {"text": ("Olá, e mais\n\nDe casa",), "do": ("write",)}
    here.clock.advance(1)
    late = here.drafts.kept[TENANT, "ana", "start"].at.isoformat()
    assert await keep(ana, "start", text="Só isto", do="write", over=late, join="1") != "anew"
    assert here.drafts.kept[TENANT, "ana", "start"].fields["text"] == ("Só isto",)


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [("a b", "a", "a b"), ("a", "a b", "a b"), ("a", "", "a"), ("", "b", "b"), ("a", "b", "a\n\nb")],
)
def test_joining_loses_no_word_and_repeats_none(mine: str, theirs: str, both: str) -> None:
    assert joined({"text": (mine,)}, {"text": (theirs,), "subject": ("s",)}) == {"text": (both,), "subject": ("s",)}


async def test_a_signature_begun_from_an_older_version_is_saved_as_one(here: World) -> None:
    admin = Browser(here, token(sub="ana"))
    await keep(admin, f"sig-{CHANNEL}-default", html="Equipe", version="7")
    page = (await admin.client.get(f"/settings/channels/{CHANNEL}?operator=default")).text
    assert 'name="version" value="7"' in page
    assert ">Equipe</textarea>" in page


async def test_a_name_that_is_none_is_refused(here: World) -> None:
    ana = Browser(here, token(sub="ana"))
    answer = await ana.change("/drafts", await ana.csrf(), draft="../x", **{"f.text": "x"})
    assert answer.status_code == 404
    assert not here.drafts.kept
