"""No word that was typed is lost: not over reload, sign-out, an expired session, a lost network, another browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shots import sign_in
from tests.browser.stage import Stage
from tests.unit.gateway.world import TENANT

LEFT = "Object.entries(localStorage).filter(([k]) => k.startsWith('draft:')).map(([, v]) => v)"


@pytest.fixture
def talk(page: Page, stage: Stage) -> str:
    """An open conversation, nothing kept from before."""
    stage.scenery.world.drafts.kept.clear()
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['plain']}")
    return f"{stage.url}/c/{stage.scenery.ids['plain']}"


def kept(stage: Stage, name: str) -> Any:
    """What the server has of Ana's draft."""
    found = stage.scenery.world.drafts.kept.get((TENANT, "ana", name))
    return found and found.fields


def until_kept(page: Page) -> None:
    """Everything typed has reached the server: nothing is left in this browser."""
    for _ in range(50):
        if not page.evaluate(LEFT):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"not kept: {page.evaluate(LEFT)}")


def test_a_draft_is_there_in_another_browser_and_not_after_sign_out(
    browser: Browser, page: Page, stage: Stage, talk: str
) -> None:
    page.fill("#w-s", "Outro assunto")
    page.fill("#w-m", "Ainda não terminei")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    assert page.evaluate(LEFT) == []
    other = browser.new_context(locale="en").new_page()
    sign_in(other, stage, "rui")
    other.goto(talk)
    expect(other.locator("#w-m")).to_have_value("")
    other.click("text=Sign out")
    sign_in(other, stage)
    other.goto(talk)
    expect(other.locator("#w-m")).to_have_value("Ainda não terminei")
    expect(other.locator("#w-s")).to_have_value("Outro assunto")
    expect(other.locator("#composer [data-saved]")).to_have_text("Your draft, not saved yet")
    other.click("#composer .btn.go")
    expect(other.locator("#w-m")).to_have_value("")
    other.context.close()
    sign_in(page, stage)
    page.goto(talk)
    expect(page.locator("#w-m")).to_have_value("")
    assert kept(stage, stage.scenery.ids["plain"]) is None


def test_words_typed_while_the_network_was_gone_come_back_below_nothing_else(
    browser: Browser, page: Page, stage: Stage, talk: str
) -> None:
    page.fill("#w-m", "Primeiro")
    until_kept(page)
    page.context.route("**/drafts", lambda route: route.abort())
    page.fill("#w-m", "Primeiro, e sem rede")
    page.wait_for_timeout(1_000)
    page.reload()
    expect(page.locator("#w-m")).to_have_value("Primeiro, e sem rede")
    page.fill("#w-m", "Primeiro, e sem rede mais")
    page.wait_for_timeout(1_000)
    other = browser.new_context(locale="en").new_page()
    sign_in(other, stage)
    other.goto(talk)
    other.fill("#w-m", "De casa")
    until_kept(other)
    other.context.close()
    page.context.unroute("**/drafts")
    page.reload()
    expect(page.locator("#w-m")).to_have_value("Primeiro, e sem rede mais\n\nDe casa")
    until_kept(page)
    page.reload()
    expect(page.locator("#w-m")).to_have_value("Primeiro, e sem rede mais\n\nDe casa")


def test_a_reload_in_the_middle_of_a_word(page: Page, stage: Stage, talk: str) -> None:
    page.focus("#w-m")
    for word in ("um ", "dois ", "três"):
        page.keyboard.type(word)
        page.reload()
        expect(page.locator("#w-m")).to_be_enabled()
        expect(page.locator("#w-m")).to_have_value("um dois três"[: "um dois três".index(word) + len(word)])
        page.focus("#w-m")
        page.keyboard.press("Control+End")


def test_the_start_of_a_conversation_is_kept_whole(page: Page, stage: Stage, talk: str) -> None:
    page.goto(f"{stage.url}/c/new")
    page.fill("#cl", "a@client.test, errado@")
    page.click("[data-addchip]")
    page.fill("#cl", "meio@cli")
    page.fill("#su", "Orçamento")
    page.fill("#te", "Bom dia")
    page.check("input[value=just]")
    page.reload()
    expect(page.locator("input[value=just]")).to_be_checked()
    expect(page.locator(".chip > span")).to_have_text(["a@client.test", "errado@", "meio@cli"])
    expect(page.locator(".chip.wrong")).to_have_count(2)
    page.check("input[value=write]")
    expect(page.locator("#te")).to_have_value("Bom dia")
    page.context.clear_cookies()
    page.fill("#te", "Bom dia, com a sessão no fim")
    page.click("form[action='/c/new'] .btn.go")
    page.goto(f"{stage.url}/c/new")
    page.click("button[value=ana]")
    page.wait_for_url("**/c/new*")
    expect(page.locator("#te")).to_have_value("Bom dia, com a sessão no fim")
    for _ in range(2):
        page.locator(".chip.wrong button").first.click()
    page.click("form[action='/c/new'] .btn.go")
    page.wait_for_url("**/c/*")
    expect(page.locator("#msgs")).to_contain_text("Bom dia, com a sessão no fim")
    page.goto(f"{stage.url}/c/new")
    expect(page.locator("#te")).to_have_value("")
    assert kept(stage, "start") is None


def test_the_chosen_account_is_kept(page: Page, stage: Stage, talk: str) -> None:
    page.goto(f"{stage.url}/c/new")
    page.fill("#te", "Para o financeiro")
    page.select_option("#acc", label="Financeiro (financeiro@casaipe.example)")
    expect(page.locator(".note.clock")).to_contain_text("Financeiro")
    page.goto(f"{stage.url}/c/new")
    expect(page.locator(".note.clock")).to_contain_text("Financeiro")
    page.select_option("#acc", label="Atendimento (atendimento@casaipe.example)")
    expect(page.locator("#te")).to_have_value("Para o financeiro")
