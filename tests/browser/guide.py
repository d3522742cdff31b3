"""Pictures for the operator's guide: ``python -m tests.browser.guide docs/pictures`` writes one folder a language."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from services.gateway.console.mount import Sign
from services.gateway.console.oidc import Provider
from tests.browser.acts import STATES, Act, at, sign_in
from tests.browser.shots import CHROMIUM, LANGUAGES
from tests.browser.small_png import small
from tests.browser.stage import Stage

SIZE: Final[ViewportSize] = {"width": 1200, "height": 680}
SAID: Final = "Bom dia, Marina. O sofá chega na quinta, das 8h às 12h. Fica bom assim?"
ONLY_THE_BUTTON: Final = "document.querySelector('.who-list')?.closest('section').remove()"


class Desk(Stage):
    """With a provider at its door."""

    def sign(self) -> Sign:
        """The button of a provider above the demonstration's people."""
        return replace(super().sign(), provider=Provider("http://issuer.test", "malote"))


def _answered(page: Page, stage: Stage) -> None:
    """A reply that shows its clock."""
    at("conversation")(page, stage)
    page.fill("#w-m", SAID)
    page.keyboard.press("Control+Enter")
    card = page.locator(".msg.out", has_text=SAID)
    card.locator(".st.clock").wait_for()
    stage.run(stage.scenery.hold(str(card.get_attribute("id")).removeprefix("m-")))
    card.locator(".st[data-until]").wait_for()


def _eye(page: Page, _: Stage) -> None:
    page.locator(".msg.out", has_text=SAID).locator("[data-eye]").click()
    page.wait_for_selector("#eye[open]")


def _tried(page: Page, stage: Stage) -> None:
    """A signature with a change that the preview shows."""
    at("signatures")(page, stage)
    page.wait_for_timeout(500)


def _somebody(page: Page, stage: Stage) -> None:
    at("people")(page, stage)
    page.locator(".folk summary").first.click()


PICTURES: Final[dict[str, tuple[str, Act]]] = {
    "list": ("ana", at("list")),
    "conversation": ("ana", _answered),
    "eye": ("ana", _eye),
    "start": ("ana", STATES["start-chips"]),
    "attention": ("ana", at("attention")),
    "accounts": ("ana", at("accounts")),
    "settings": ("ana", at("settings-failing")),
    "signatures": ("ana", _tried),
    "people": ("ana", _somebody),
    "clock": ("joana", at("clock")),
}


def draw(browser: Browser, stage: Stage, language: str, folder: Path) -> None:
    """All of one language."""
    context = browser.new_context(locale=language, timezone_id="America/Sao_Paulo", viewport=SIZE, color_scheme="light")
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in")
    page.evaluate(ONLY_THE_BUTTON)
    _write(page, folder / "sign-in.png")
    who = ""
    for name, (person, act) in PICTURES.items():
        if person != who:
            sign_in(page, stage, person)
            who = person
        act(page, stage)
        page.wait_for_timeout(300)
        _write(page, folder / f"{name}.png")
    context.close()


def _write(page: Page, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small(page.screenshot()))


def main(folder: Path) -> None:
    """Writes them, each language on a desk of its own."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in LANGUAGES:
            with Desk() as stage:
                draw(browser, stage, language, folder / language)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
