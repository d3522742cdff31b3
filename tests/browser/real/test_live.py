"""Live everywhere: through cuts of the line, in tabs nobody looks at, and on machines whose clock is wrong."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Request, expect

from tests.browser.real.conftest import Arrive
from tests.browser.real.house import TEAMS, House, Team
from tests.browser.real.person import PATIENCE_MS, Person

pytestmark = pytest.mark.usefixtures("channel")
WRONG_BY_MS = 3_600_000
WRONG_CLOCK = f"const right = Date.now; Date.now = () => right() + {WRONG_BY_MS};"
HIDDEN = """() => {
  Object.defineProperty(document, 'hidden', {value: true, configurable: true});
  Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def team() -> Team:
    """The desk of the troubles."""
    return TEAMS["more"]


async def test_what_came_while_the_line_was_cut_is_shown_on_return(arrive: Arrive, house: House, team: Team) -> None:
    ana = await arrive("en", team, url=f"http://127.0.0.1:{house.slow.port}")
    await ana.live()
    asked: list[Request] = []
    ana.page.on("request", lambda one: asked.append(one) if "/live" in one.url else None)
    await house.arrive(team.address, "nina@live.test", "Antes de tudo", "Bom dia.\n")
    async with house.desk(team) as desk:
        await desk.until("/v1/conversations?q=tudo", lambda seen: bool(seen["items"]))
    await expect(ana.page.locator(".conv", has_text="Antes de tudo")).to_be_visible(timeout=PATIENCE_MS)
    await house.slow.cut()
    await expect(ana.page.locator("#lost")).to_be_visible(timeout=PATIENCE_MS)
    await house.arrive(team.address, "nina@live.test", "Durante o corte", "Alguém aí?\n")
    async with house.desk(team) as desk:
        await desk.until("/v1/conversations?q=corte", lambda seen: bool(seen["items"]))
    await house.slow.heal()
    await expect(ana.page.locator(".conv", has_text="Durante o corte")).to_be_visible(timeout=PATIENCE_MS)
    await expect(ana.page.locator("#lost")).to_be_hidden()
    assert any([await one.header_value("last-event-id") for one in asked])


async def test_a_hidden_tab_stays_live(arrive: Arrive, house: House, team: Team) -> None:
    ana = await arrive("pt-BR", team)
    await ana.live()
    await ana.page.evaluate(HIDDEN)
    await house.arrive(team.address, "olga@live.test", "Na aba escondida", "Oi.\n")
    await expect(ana.page.locator(".conv", has_text="Na aba escondida")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_search_stays_while_mail_arrives(arrive: Arrive, house: House, team: Team) -> None:
    ana = await arrive("en", team)
    await ana.live()
    rows = ana.page.locator(".conv")
    await ana.page.fill("#q", "corte")
    await expect(rows).to_have_count(1)
    unread = int(await ana.page.locator("#n-unread").inner_text())
    await house.arrive(team.address, "rosa@live.test", "Fora da busca", "Oi.\n")
    await expect(ana.page.locator("#n-unread")).to_have_text(str(unread + 1), timeout=PATIENCE_MS)
    await expect(rows).to_have_count(1)
    await ana.page.fill("#q", "")
    await expect(ana.page.locator(".conv", has_text="Fora da busca")).to_be_visible()


async def test_the_clock_runs_on_the_servers_time(chromium: Browser, house: House, team: Team) -> None:
    ana = await Person.arrive(chromium, house.stack.gateway_url, "en")
    await ana.context.add_init_script(WRONG_CLOCK)
    await ana.sign_in(team)
    assert await ana.page.evaluate("Math.abs(Date.now() - Date.parse(document.body.dataset.serverNow))") > 3_000_000
    await ana.page.get_by_role("link", name="Na aba escondida").click()
    await ana.write("No relógio certo.")
    word = ana.card("No relógio certo.").locator(".st .w:visible")
    await expect(word).to_have_text(re.compile(r"0:0[1-8]$"), timeout=PATIENCE_MS)
    await ana.card("No relógio certo.").get_by_role("button", name=ana.t("act.interrupt")).click()
    await ana.click("button", "eye.stop")
    await ana.reads("No relógio certo.", "interrupted")
    await ana.leave()


async def test_an_unread_mail_counts_on_a_page_that_shows_something_else(
    arrive: Arrive, house: House, team: Team
) -> None:
    ana = await arrive("en", team)
    await ana.live()
    before = int(await ana.page.locator("#n-unread").inner_text())
    await house.arrive(team.address, "pia@live.test", "Mais uma", "Oi.\n")
    await expect(ana.page.locator("#n-unread")).to_have_text(str(before + 1), timeout=PATIENCE_MS)
