"""What waits for the desk, live: the clock view of a supervisor, what asks for attention, what could not be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway.domain.change import Thing
from services.gateway.domain.message import Recipient, Status
from tests.browser.acts import LOST, sign_in
from tests.browser.stage import Stage
from tests.browser.test_doing import queued
from tests.unit.gateway.world import TENANT


@pytest.fixture
def joana(browser: Browser, stage: Stage) -> Iterator[Page]:
    """A supervisor's browser, at what shows the clock."""
    context = browser.new_context(locale="pt-BR", timezone_id="America/Sao_Paulo", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(10_000)
    sign_in(page, stage, "joana")
    page.goto(f"{stage.url}/c?view=clock")
    yield page
    context.close()


def test_a_supervisor_interrupts_from_the_clock_view(page: Page, joana: Page, stage: Stage) -> None:
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['plain']}")
    stage.scenery.outbox_answers()
    before = int(joana.inner_text("#n-clock"))
    message = queued(page, stage, "Com pressa demais")
    row = joana.locator(f"#row-{stage.scenery.ids['plain']}")
    expect(row.locator(".w")).to_contain_text("Sai em 0:")
    expect(row.locator(".by")).to_have_text("Ana Beatriz Lemos")
    expect(joana.locator("#n-clock")).to_have_text(str(before + 1))
    joana.click(f"a[href*='eye={message}']")
    expect(joana.locator("#eye [data-interrupt]")).to_be_focused()
    joana.keyboard.press("Enter")
    expect(joana.locator(f"#m-{message} .st")).to_have_attribute("data-state", "interrupted")
    stage.scenery.tell(Thing.MESSAGE, message, stage.scenery.ids["plain"])
    expect(page.locator(f"#m-{message} .st")).to_have_attribute("data-state", "interrupted")
    joana.goto(f"{stage.url}/c?view=clock")
    expect(row).to_have_count(0)


def test_an_operator_is_offered_no_interrupt_of_anothers_message(page: Page, stage: Stage) -> None:
    sign_in(page, stage, "rui")
    page.goto(f"{stage.url}/c?view=clock")
    expect(page.locator(f"#row-{stage.scenery.ids['paused']} ~ a")).to_have_count(1)  # his own
    expect(page.locator(f"#row-{stage.scenery.ids['states']} ~ a")).to_have_count(0)


def test_what_failed_asks_until_somebody_has_seen_to_it(page: Page, stage: Stage) -> None:
    sign_in(page, stage)
    talk = stage.scenery.ids["plain"]
    page.goto(f"{stage.url}/c/{talk}")
    before = int(page.inner_text("#n-attention"))
    message = queued(page, stage, "Para o endereço errado")
    refused = (Recipient("marina@correio.example", "refused", 550, "5.1.1", "no such user"),)
    stage.run(stage.scenery.progress(message, status=Status.FAILED, reason="refused", recipients=refused))
    stage.run(stage.world.conversations.ask_attention(TENANT, talk, message))
    stage.scenery.tell(Thing.MESSAGE, message, talk)
    expect(page.locator("#n-attention")).to_have_text(str(before + 1))
    expect(page.locator(f"#m-{message} .st .d")).to_contain_text("The address marina@correio.example doesn't exist")
    page.click(f"#m-{message} [data-bring]")
    expect(page.locator("#w-m")).to_have_value("Para o endereço errado")
    page.fill("#w-m", "")
    page.click("#trouble .btn")
    expect(page.locator("#trouble")).to_have_count(0)
    expect(page.locator("#n-attention")).to_have_text(str(before))


def test_mails_that_could_not_be_read_can_be_fetched_and_hidden(page: Page, stage: Stage) -> None:
    sign_in(page, stage)
    page.goto(f"{stage.url}/c?view=attention")
    mails = page.locator(".unread-mail")
    expect(mails).to_have_count(2)
    expect(mails.filter(has_text="larger than 50 MB").get_by_text("Download original")).to_have_count(0)
    expect(mails.filter(has_text="malformed").get_by_text("Download original")).to_have_count(1)
    mails.filter(has_text="larger than 50 MB").get_by_role("button").click()
    expect(mails).to_have_count(1)


def test_no_stale_clock_stands_in_a_list_that_is_no_longer_live(joana: Page) -> None:
    clock = joana.locator(".conv .is-clock").first
    expect(clock.locator(".sure")).to_be_visible()
    joana.evaluate(LOST)
    expect(clock.locator(".sure")).to_be_hidden()
    expect(clock.locator(".unsure")).to_contain_text("Situação desconhecida")
