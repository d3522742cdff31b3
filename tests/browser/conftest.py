"""One stage and one browser for all of these files; a page that records what it should never see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, sync_playwright

from tests.browser.shots import CHROMIUM
from tests.browser.stage import Stage


@dataclass
class Seen:
    """What went wrong in a page, and where it wanted to go."""

    wrong: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext, page: Page, home: str) -> None:
        """Traps every host but ours."""

        def trap(route: Route) -> None:
            if route.request.url.startswith((home, "data:", "about:", "blob:")):
                route.continue_()
            else:
                self.foreign.append(route.request.url)
                route.abort()

        context.route("**/*", trap)

        def asked(dialog: Dialog) -> None:
            self.wrong.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", asked)
        page.on("console", lambda said: self.wrong.append(said.text) if "Content Security" in said.text else None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium-headless-shell")
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(browser: Browser, stage: Stage, seen: Seen) -> Iterator[Page]:
    """A fresh browser of an English reader, nobody signed in."""
    context = browser.new_context(locale="en", timezone_id="America/Sao_Paulo", viewport={"width": 1440, "height": 900})
    made = context.new_page()
    made.set_default_timeout(10_000)
    seen.watch(context, made, stage.url)
    made.on("response", lambda one: seen.wrong.append(one.url) if one.status in (403, 500, 503) else None)
    yield made
    context.close()
    assert not seen.wrong
    assert not seen.foreign


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These last, `real` before: playwright's loop keeps running in this thread, and asyncio allows no second one."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents and (1, 2)[item.path.parent == here])
