"""What comes late changes nothing that is newer."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from services.gateway.domain.message import Status
from tests.browser.shots import sign_in
from tests.browser.stage import Stage

OLD = """([id, html]) => htmx.swap({
  target: document.body, sourceElement: document.body, swap: 'none',
  text: `<hx-partial hx-target="#msgs" hx-swap="outerMorph">${html}</hx-partial>`
})"""


def test_an_answer_behind_the_live_news_takes_no_message_back(page: Page, stage: Stage) -> None:
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['plain']}")
    page.fill("#w-m", "Overtaken")
    page.keyboard.press("Control+Enter")
    card = page.locator(".msg.out", has_text="Overtaken").last
    expect(card.locator(".st")).to_have_attribute("data-state", "accepted")
    before = page.locator("#msgs").evaluate("one => one.outerHTML")
    message = str(card.get_attribute("id")).removeprefix("m-")
    stage.run(stage.scenery.progress(message, status=Status.SENT, outbox_version=1))
    expect(card.locator(".st")).to_have_attribute("data-state", "sent")
    page.evaluate(OLD, [message, before])
    expect(card.locator(".st")).to_have_attribute("data-state", "sent")
    expect(card.locator(".ring")).to_have_count(0)
