"""Pictures of every page and state, at three widths, light and dark, in both languages.

python -m tests.browser.shots FOLDER [NAME...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.scenery import OTHER_CHANNEL
from tests.browser.stage import Stage
from tests.unit.gateway.world import CHANNEL

CHROMIUM = "/usr/bin/chromium-headless-shell"
WIDTHS = {360: 780, 768: 1024, 1440: 900}
TALL: Final = 3_200
"""High enough to hold every state of a message at once."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LANGUAGES: Final = ("pt-BR", "en")


def pages_of(stage: Stage) -> dict[str, str]:
    """Each page by name."""
    ids, one = stage.scenery.ids, f"/settings/channels/{CHANNEL}"
    other = f"/settings/channels/{OTHER_CHANNEL}"
    return {
        "list": "/c", "unread": "/c?view=unread", "mine": "/c?view=mine", "clock": "/c?view=clock",
        "attention": "/c?view=attention", "nothing-found": "/c?q=poltrona+verde", "hidden": "/c?view=hidden",
        "of-channel": f"/c?channel_id={OTHER_CHANNEL}",
        "conversation": f"/c/{ids['plain']}", "states": f"/c/{ids['states']}", "created": f"/c/{ids['empty']}",
        "long": f"/c/{ids['long']}", "paused": f"/c/{ids['paused']}", "was-hidden": f"/c/{ids['hidden']}",
        "eye-page": f"/c/{ids['states']}/m/{ids['queued']}", "start": "/c/new",
        "start-refused": f"/c/new?channel={OTHER_CHANNEL}", "accounts": "/settings/channels",
        "new-channel": "/settings/channels/new", "settings": f"{one}/settings", "settings-failing": f"{other}/settings",
        "signatures": one, "signature-default": f"{one}?operator=default", "people": "/settings/people",
        "missing": "/c/00000000-0000-7000-8000-000000000000",
    }  # fmt: skip


def sign_in(page: Page, stage: Stage, person: str = "ana") -> None:
    """As one of the demonstration people."""
    page.goto(f"{stage.url}/sign-in")
    page.click(f"button[value={person}]")
    page.wait_for_url("**/c")


Act = Callable[[Page, Stage], None]


def at(name: str, *acts: Act) -> Act:
    """Goes to the page and does these things there."""

    def act(page: Page, stage: Stage) -> None:
        page.goto(stage.url + pages_of(stage)[name])
        for one in acts:
            one(page, stage)

    return act


def _click(selector: str) -> Act:
    return lambda page, _: page.click(selector)


def _script(code: str) -> Act:
    return lambda page, _: page.evaluate(code)


def _eye(name: str) -> Act:
    def act(page: Page, stage: Stage) -> None:
        page.click(f"[data-eye='{stage.scenery.ids[name]}']")
        page.wait_for_selector("#eye[open]")

    return act


def _clients(page: Page, _: Stage) -> None:
    page.fill("#cl", "a@cliente.example, compras@construtora-vale-do-araguari.example; errado@cliente")
    page.click("[data-addchip]")
    page.fill("#su", "Proposta de mobiliário")


def _conflict(page: Page, stage: Stage) -> None:
    before = stage.world.wishes.owner
    page.fill("#html", "<b>{{ operator.name }}</b>\nVendas e atendimento")
    stage.scenery.owner_refuses_signatures("<b>Ana Beatriz</b><br>\nCasa Ipê Móveis", "rui")
    page.click("#sig .btn.go")
    page.wait_for_selector(".note.clock")
    stage.world.wishes.owner = before
    stage.run(stage.scenery.signatures())


def _refuse(page: Page, _: Stage) -> None:
    page.fill("#pass", "")
    page.fill("#p-imap", "99")
    page.fill("#h-smtp", "outro.casaipe.example")
    page.click("form .btn.go")
    page.wait_for_selector("[aria-invalid]")


def _nameless(page: Page, _: Stage) -> None:
    page.locator(".folk summary").first.click()
    page.locator(".folk [open] [name=name]").fill("")
    page.locator(".folk [open] [name=email]").fill("nada")
    page.locator(".folk [open] .btn.go").click()
    page.wait_for_selector("[aria-invalid]")


LOST: Final = "document.dispatchEvent(new CustomEvent('htmx:sse:error', {detail: {status: 0}}))"
STATES: Final[dict[str, Act]] = {
    "eye": at("states", _eye("queued")),
    "eye-final": at("states", _eye("sent")),
    "lost": at("states", _script(LOST)),
    "hide-dialog": at("conversation", _click("[data-open=hide]")),
    "message-menu": at("conversation", _click(".msg .quiet summary")),
    "empty-subject": at("conversation", lambda page, _: page.fill("#w-s", ""), _click("#composer .btn.go")),
    "keys": at("list", lambda page, _: page.keyboard.press("?")),
    "start-chips": at("start", _clients),
    "signature-conflict": at("signatures", _conflict),
    "signature-broken": at("signatures", lambda page, _: page.fill("#html", "{{ operator.name "), _script("0")),
    "people-refused": at("people", _nameless),
    "settings-refused": at("settings", _refuse),
    "expired": at("conversation", lambda page, _: page.context.clear_cookies(), _click("#composer .btn.go")),
}


def opened(browser: Browser, stage: Stage, language: str, *names: str) -> Iterator[tuple[str, Page]]:
    """Every page and state, once, in this language; a state that ends the session comes last."""
    context = browser.new_context(
        locale=language, timezone_id="America/Sao_Paulo", viewport={"width": 1440, "height": 900}
    )
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in")
    yield "sign-in", page
    sign_in(page, stage)
    wanted = {name: at(name) for name in pages_of(stage)} | STATES
    for name, act in wanted.items():
        if not names or name in names:
            act(page, stage)
            page.wait_for_timeout(150)
            yield name, page
    page.goto(f"{stage.url}/sign-in?expired=1")
    yield "sign-in-expired", page
    for person in ("joana", "rui"):
        sign_in(page, stage, person)
        for name in ("clock", "states", "accounts", "settings"):
            if not names or name in names:
                at(name)(page, stage)
                yield f"{name}-{person}", page
    context.close()


def main(folder: Path, *names: str) -> None:
    """Writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    with Stage() as stage, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in LANGUAGES:
            for name, page in opened(browser, stage, language, *names):
                for width, height in WIDTHS.items():
                    page.set_viewport_size({"width": width, "height": TALL if name.startswith("states") else height})
                    for scheme in SCHEMES:
                        page.emulate_media(color_scheme=scheme)
                        page.screenshot(path=folder / f"{name}-{language}-{width}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".local/shots"), *sys.argv[2:])
