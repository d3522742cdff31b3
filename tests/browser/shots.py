"""Pictures of every page and state, at three widths, light and dark: ``python -m tests.browser.shots FOLDER``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.stage import Stage
from tests.unit.gateway.world import CHANNEL

CHROMIUM = "/usr/bin/chromium-headless-shell"
WIDTHS = {360: 780, 768: 1024, 1440: 900}


def pages_of(stage: Stage) -> dict[str, str]:
    """Each page by name."""
    ids, one = stage.scenery.ids, f"/settings/channels/{CHANNEL}"
    return {
        "list": "/c", "unread": "/c?view=unread", "nothing-found": "/c?q=poltrona+verde", "hidden": "/c?view=hidden",
        "conversation": f"/c/{ids['plain']}", "states": f"/c/{ids['states']}", "created": f"/c/{ids['empty']}",
        "eye-page": f"/c/{ids['states']}/m/{ids['queued']}", "start": "/c/new", "accounts": "/settings/channels",
        "new-channel": "/settings/channels/new", "settings": f"{one}/settings", "signatures": one,
        "signature-default": f"{one}?operator=default", "missing": "/c/00000000-0000-7000-8000-000000000000",
    }  # fmt: skip


def sign_in(page: Page, stage: Stage, person: str = "ana") -> None:
    """As one of the demonstration people."""
    page.goto(f"{stage.url}/sign-in")
    page.click(f"button[value={person}]")
    page.wait_for_url("**/c")


def opened(browser: Browser, stage: Stage) -> Iterator[tuple[str, Page]]:
    """Every page in every dress."""
    for language in ("pt-BR", "en"):
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, locale=language, color_scheme=scheme,
                    timezone_id="America/Sao_Paulo",
                )  # fmt: skip
                page = context.new_page()
                page.goto(f"{stage.url}/sign-in")
                yield f"sign-in-{language}-{width}-{scheme}", page
                sign_in(page, stage)
                for name, path in pages_of(stage).items():
                    page.goto(stage.url + path)
                    page.wait_for_timeout(150)
                    yield f"{name}-{language}-{width}-{scheme}", page
                context.close()


def main(folder: Path) -> None:
    """Writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    with Stage() as stage, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, page in opened(browser, stage):
            page.screenshot(path=folder / f"{name}.png", full_page="states" in name)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".local/shots"))
