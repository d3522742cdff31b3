"""What a person does with mouse and keyboard, and that no word is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from services.gateway.domain.message import Status
from tests.browser.shots import sign_in
from tests.browser.stage import Stage
from tests.unit.gateway.world import ANA, CHANNEL


@pytest.fixture
def talk(page: Page, stage: Stage) -> str:
    """The open conversation of a person who has signed in."""
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{stage.scenery.ids['plain']}")
    stage.scenery.outbox_answers()
    return stage.scenery.ids["plain"]


def queued(page: Page, stage: Stage, text: str = "Bom dia") -> str:
    """A message that shows its clock."""
    page.fill("#w-m", text)
    page.keyboard.press("Control+Enter")
    card = page.locator(".msg.out", has_text=text).last
    expect(card.locator(".st.clock")).to_be_visible()
    expect(page.locator("#w-m")).to_have_value("")
    message_id = str(card.get_attribute("id")).removeprefix("m-")
    stage.run(stage.scenery.hold(message_id))
    expect(card.locator(".st[data-until]")).to_be_visible()
    return message_id


def test_interrupt_with_the_mouse_and_bring_the_text_back(page: Page, stage: Stage, talk: str) -> None:
    message = queued(page, stage, "Um engano")
    page.click(f"[data-eye='{message}']")
    page.click("#eye [data-interrupt]")
    expect(page.locator(f"#m-{message} .st")).to_have_attribute("data-state", "interrupted")
    expect(page.locator("#eye[open]")).to_have_count(0)
    page.fill("#w-m", "Já escrito")
    page.click(f"#m-{message} [data-bring]")
    expect(page.locator("#w-m")).to_have_value("Já escrito\n\nUm engano")


def test_interrupt_with_the_keyboard_alone(page: Page, stage: Stage, talk: str) -> None:
    message = queued(page, stage, "Outro engano")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("z")
    expect(page.locator("#eye[open]")).to_be_visible()
    expect(page.locator("#eye [data-interrupt]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#eye[open]")).to_have_count(0)
    expect(page.locator(f"[data-eye='{message}']")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#eye[open] [data-interrupt]").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(f"#m-{message} .st")).to_have_attribute("data-state", "interrupted")


def test_too_late_is_said_in_the_dialog(page: Page, stage: Stage, talk: str) -> None:
    message = queued(page, stage, "Tarde")
    stage.scenery.outbox_answers(Status.SENT)
    page.click(f"[data-eye='{message}']")
    page.click("#eye [data-interrupt]")
    expect(page.locator("#eye .note.bad")).to_contain_text("it has already been sent")
    expect(page.locator("#eye [data-interrupt]")).to_have_count(0)


def test_the_clock_stays_until_the_server_says_so(page: Page, stage: Stage, talk: str) -> None:
    message = queued(page, stage, "Relógio")
    line = page.locator(f"#m-{message} .st")
    stage.run(stage.scenery.hold(message, seconds=1.2))
    expect(line.locator(".sure .w")).to_have_text("About to go out")
    expect(line.locator(".ring")).to_be_visible()
    stage.run(stage.scenery.progress(message, status=Status.COMMITTED))
    expect(line).to_have_attribute("data-state", "committed")
    expect(line.locator(".ring")).to_have_count(0)


def test_two_browsers_see_the_same(browser: Browser, page: Page, stage: Stage, talk: str) -> None:
    other = browser.new_context(locale="pt-BR").new_page()
    sign_in(other, stage, "rui")
    other.goto(f"{stage.url}/c/{talk}")
    message = queued(page, stage, "Para dois")
    expect(other.locator(f"#m-{message} .st.clock")).to_be_visible()
    other.click(f"[data-eye='{message}']")
    expect(other.locator("#eye [data-interrupt]")).to_have_count(0)  # Ana's, and Rui is no supervisor
    stage.run(stage.scenery.progress(message, status=Status.COMMITTED))
    expect(other.locator("#eye .big")).to_contain_text("Enviando…")
    other.context.close()


def test_a_draft_outlives_reload_and_sign_out(page: Page, stage: Stage, talk: str) -> None:
    page.fill("#w-m", "Ainda não terminei")
    page.reload()
    expect(page.locator("#w-m")).to_have_value("Ainda não terminei")
    page.click("text=Sign out")
    sign_in(page, stage, "rui")
    page.goto(f"{stage.url}/c/{talk}")
    expect(page.locator("#w-m")).to_have_value("")
    page.click("text=Sign out")
    sign_in(page, stage)
    page.goto(f"{stage.url}/c/{talk}")
    expect(page.locator("#w-m")).to_have_value("Ainda não terminei")
    page.fill("#w-m", "")


def test_a_session_that_ended_keeps_the_words(page: Page, stage: Stage, talk: str) -> None:
    page.fill("#w-m", "Não me perca")
    page.context.clear_cookies()
    page.click("#composer .btn.go")
    expect(page.locator("#notices [role=alert]")).to_be_visible()
    expect(page.locator("#w-m")).to_have_value("Não me perca")
    page.click("[data-again]")
    page.click("button[value=ana]")
    expect(page.locator("#w-m")).to_have_value("Não me perca")
    page.fill("#w-m", "")


def test_an_empty_subject_is_named(page: Page, stage: Stage, talk: str) -> None:
    page.fill("#w-s", "")
    page.fill("#w-m", "Sem assunto")
    page.click("#composer .btn.go")
    expect(page.locator("#w-s-e")).to_have_text("Write a subject before sending.")
    expect(page.locator("#w-s")).to_be_focused()
    expect(page.locator("#w-m")).to_have_value("Sem assunto")
    page.fill("#w-m", "")


def test_start_with_several_clients(page: Page, stage: Stage, talk: str) -> None:
    page.keyboard.press("c")
    page.wait_for_url("**/c/new")
    page.fill("#cl", "a@client.test, b@client.test; wrong@client")
    page.click("[data-addchip]")
    expect(page.locator(".chip")).to_have_count(3)
    expect(page.locator("[data-chiperr]")).to_contain_text("wrong@client")
    page.locator(".chip.wrong button").click()
    expect(page.locator("[data-together]")).to_contain_text("everyone sees all addresses")
    page.check("input[value=just]")
    page.click("form[action='/c/new'] .btn.go")
    expect(page.locator("#msgs")).to_contain_text("Created, nothing sent yet")


def test_two_administrators_save_at_once(page: Page, stage: Stage, talk: str) -> None:
    page.goto(f"{stage.url}/settings/channels/{CHANNEL}?operator={ANA}")
    page.fill("#html", "Minha")
    stage.scenery.owner_refuses_signatures("A de Rui", "rui")
    page.click("#sig .btn.go")
    note = page.locator(".note.clock")
    expect(note).to_contain_text("Minha")
    expect(note).to_contain_text("A de Rui")
    expect(page.locator("#html")).to_have_value("Minha")


def test_the_preview_is_as_it_will_be_sent(page: Page, stage: Stage, talk: str) -> None:
    page.goto(f"{stage.url}/settings/channels/{CHANNEL}?operator=default")
    page.fill("#html", "<b>{{ operator.name }}</b>\nVendas")
    frame = page.frame_locator("iframe.pv")
    expect(frame.locator("b")).to_have_text("Ana Beatriz Lemos")
    expect(frame.locator("body")).to_contain_text("Vendas")
