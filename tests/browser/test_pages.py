"""Every page and state: no serious barrier, nothing refused by our own policy, nothing cut off, small and quick."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.acts import STATES, at, pages_of, sign_in
from tests.browser.conftest import Seen
from tests.browser.stage import Stage

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
SCROLLS_SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def barriers(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{one['id']}: {[node['html'][:90] for node in one['nodes'][:3]]}"
        for one in found["violations"] if one["impact"] in ("serious", "critical")
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("pt-BR", "dark")])
def test_no_page_has_a_serious_barrier(
    browser: Browser, stage: Stage, language: str, scheme: Literal["light", "dark"]
) -> None:
    seen = Seen()
    context = browser.new_context(locale=language, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    seen.watch(context, page, stage.url)
    page.goto(f"{stage.url}/sign-in")
    found = {"sign-in": barriers(page)}
    sign_in(page, stage)
    for name, act in {**{one: at(one) for one in pages_of(stage)}, **STATES}.items():
        act(page, stage)
        found[name] = barriers(page)
    context.close()
    assert not {name: bad for name, bad in found.items() if bad}
    assert not seen.wrong
    assert not seen.foreign


@pytest.mark.parametrize("width", [320, 360, 768, 1440])
def test_nothing_scrolls_sideways(browser: Browser, stage: Stage, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="pt-BR")
    page = context.new_page()
    sign_in(page, stage)
    wide = []
    for name, path in pages_of(stage).items():
        page.goto(stage.url + path)
        wide += [name] if page.evaluate(SCROLLS_SIDEWAYS) else []
    context.close()
    assert not wide


def test_a_page_that_broke_gives_the_code_that_the_log_has(browser: Browser, stage: Stage) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    sign_in(page, stage)
    STATES["broken"](page, stage)
    assert re.search(r"pass this code on: [0-9a-f]{8}$", page.inner_text("main p"))
    context.close()


def test_the_first_page_is_small_and_quick(page: Page, stage: Stage) -> None:
    sizes: list[int] = []
    sign_in(page, stage)
    page.on("requestfinished", lambda one: sizes.append(one.sizes()["responseBodySize"]))
    page.goto(stage.url + pages_of(stage)["conversation"])
    page.wait_for_timeout(300)
    usable = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert sum(sizes) <= 60 * 1024, sizes
    print(f"first page: {sum(sizes)} octets, usable after {usable:.0f} ms")
