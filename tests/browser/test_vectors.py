"""Hostile mails, names, subjects and signatures: nothing runs, nothing leaves, our own pages break no rule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from contracts.inbound import InboundAddress
from services.gateway.domain.message import Person
from services.kit.sanitiser import Profile, clean
from tests.browser.conftest import Seen
from tests.browser.shots import sign_in
from tests.browser.stage import Stage
from tests.unit.gateway.world import ANA, CHANNEL, TENANT

RUN = "alert(1)"
EVENTS = (
    "onload", "onerror", "onclick", "onmouseover", "onfocus", "onanimationstart", "ontoggle", "onpointerrawupdate",
    "onbeforetoggle", "onscrollend",
)  # fmt: skip
TAGS = (
    "img src=x",
    "svg",
    "body",
    "details open",
    "video src=x",
    "input autofocus",
    "marquee",
    "iframe srcdoc=x",
    "math",
    "object data=x",
)
WHOLE = json.loads((Path(__file__).parent / "vectors.json").read_text())
VECTORS = (*WHOLE, *(f"<{tag} {event}={RUN}>" for tag in TAGS for event in EVENTS))


def test_there_are_enough() -> None:
    assert len(VECTORS) >= 120


async def hostile(stage: Stage, vector: str, talk: str) -> None:
    """One mail that carries it wherever a stranger can put something."""
    name, header = vector[:190], vector.replace("\r", "").replace("\n", "")[:200]
    html = clean(vector, Profile.INBOUND).html
    sender = InboundAddress(address="eve@evil.test", name=name)
    await stage.scenery.arrive(talk, subject=header, text=vector, html=html, sender=sender, new_participant=True)


@pytest.mark.parametrize("part", range(5))
def test_nothing_runs_and_nothing_leaves(browser: Browser, stage: Stage, part: int) -> None:
    vectors = VECTORS[part::5]
    seen, name = Seen(), f"hostile-{part}"
    people = (Person("eve@evil.test", vectors[0][:190]),)
    stage.scenery.ids[name] = stage.scenery.talk(people, vectors[0].replace("\0", "")[:200])
    for vector in vectors:
        stage.run(hostile(stage, vector, name))
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    seen.watch(context, page, stage.url)
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids[name]}")
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.evaluate("for (const f of document.querySelectorAll('iframe')) f.loading = 'eager'")
    page.wait_for_timeout(800)
    assert page.locator(".msg").count() == len(vectors)
    context.close()
    assert not seen.wrong
    assert not seen.foreign


@pytest.mark.parametrize("where", ["operator", "channel", "signature"])
def test_our_own_peoples_words_are_no_code_either(browser: Browser, stage: Stage, where: str) -> None:
    seen, vector = Seen(), "\"'><img src=https://evil.test/x onerror=alert(1)><script>alert(1)</script>"
    world = stage.world
    if where == "operator":
        known = world.operators.kept[TENANT, ANA]
        world.operators.kept[TENANT, ANA] = known.model_copy(update={"name": vector})
    elif where == "signature":
        stage.run(stage.scenery.sign(ANA, clean(vector, Profile.SIGNATURE).html, version=9))
    else:
        state = next(iter(world.channels.under(TENANT)))
        stage.run(stage.scenery.rename(state, vector))
    context = browser.new_context()
    page = context.new_page()
    seen.watch(context, page, stage.url)
    sign_in(page, stage)
    for path in (f"/settings/channels/{CHANNEL}", "/settings/channels", "/c/new", f"/c/{stage.scenery.ids['states']}"):
        page.goto(stage.url + path)
        page.wait_for_timeout(150)
    context.close()
    assert not seen.wrong
    assert not seen.foreign
