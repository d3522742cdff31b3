"""Pictures of every page and state, at three widths, light and dark, in both languages.

python -m tests.browser.shots FOLDER [NAME...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.acts import STATES, at, pages_of, sign_in
from tests.browser.stage import Stage

__all__ = ["CHROMIUM", "opened", "pages_of", "sign_in"]
CHROMIUM = "/usr/bin/chromium-headless-shell"
WIDTHS = {360: 780, 768: 1024, 1440: 900}
TALL: Final = 3_200
"""High enough to hold every state of a message at once."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
LANGUAGES: Final = ("pt-BR", "en")


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
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in LANGUAGES:
            with Stage() as stage:
                for name, page in opened(browser, stage, language, *names):
                    draw(page, name, folder / f"{name}-{language}")
        browser.close()


def draw(page: Page, name: str, path: Path) -> None:
    """One page at every width, light and dark."""
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": TALL if name.startswith("states") else height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{path}-{width}-{scheme}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".local/shots"), *sys.argv[2:])
