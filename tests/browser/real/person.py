"""Somebody at the console: sees words of their own language, has a mouse and a keyboard, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import Browser, BrowserContext, Dialog, Frame, Locator, Page, Response, expect

from services.gateway.console.catalogue import Words, words
from tests.browser.real.house import Team

Role = Literal["button", "link", "switch", "heading", "alert", "dialog", "radio"]
PATIENCE_MS = 15_000


@dataclass(slots=True)
class Person:
    """``wrong`` gathers what no page may do: script errors, refusals of our own policy, questions of the browser;
    ``streams`` counts the live streams that began on the page now open.
    """

    page: Page
    t: Words
    url: str
    wrong: list[str] = field(default_factory=list)
    streams: int = 0

    @classmethod
    async def arrive(cls, browser: Browser, url: str, language: str) -> Person:
        """A fresh browser of a reader of this language."""
        context = await browser.new_context(
            locale=language, timezone_id="America/Sao_Paulo", viewport={"width": 1440, "height": 900},
            permissions=["clipboard-read", "clipboard-write"],
        )  # fmt: skip
        person = cls(await context.new_page(), words(language), url)
        person.page.set_default_timeout(PATIENCE_MS)
        person._watch()
        return person

    def _watch(self) -> None:
        async def asked(dialog: Dialog) -> None:
            self.wrong.append(f"dialog: {dialog.message}")
            await dialog.dismiss()

        def answered(one: Response) -> None:
            self.streams += "/live?" in one.url
            if one.status in (403, 500):
                self.wrong.append(one.url)

        def gone(frame: Frame) -> None:
            self.streams = 0 if frame == self.page.main_frame else self.streams

        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", asked)
        self.page.on("console", lambda said: self.wrong.append(said.text) if "Content Security" in said.text else None)
        self.page.on("response", answered)
        self.page.on("framenavigated", gone)

    @property
    def context(self) -> BrowserContext:
        """Their browser."""
        return self.page.context

    async def leave(self) -> None:
        """Close the browser; nothing may have gone wrong in it."""
        await self.context.close()
        assert not self.wrong

    async def sign_in(self, team: Team, one: str = "ana") -> None:
        """Through the door of the local stack."""
        await self.page.goto(f"{self.url}/sign-in")
        await self.page.get_by_role("button", name=team.sign_in_as(one)).click()
        await self.page.wait_for_url("**/c")

    async def live(self) -> None:
        """Wait until the page's stream has begun."""
        for _ in range(PATIENCE_MS // 50):
            if self.streams:
                return
            await self.page.wait_for_timeout(50)
        raise AssertionError("the page is not live")

    def one(self, role: Role, key: str, **values: object) -> Locator:
        """What carries this word, by its role; the word begins its name."""
        return self.page.get_by_role(role, name=re.compile("^" + re.escape(self.t(key, **values)), re.I)).first

    async def click(self, role: Role, key: str, **values: object) -> None:
        """With the mouse."""
        await self.one(role, key, **values).click()

    async def go(self, *keys: str) -> None:
        """Follow links by their words, one after the other."""
        for key in keys:
            await self.click("link", key)

    def field(self, key: str, within: Locator | None = None, **values: object) -> Locator:
        """The field of this label."""
        place = within or self.page.locator("body")
        return place.get_by_label(re.compile("^" + re.escape(self.t(key, **values)) + "$")).first

    async def fill(self, key: str, text: str, within: Locator | None = None) -> None:
        """Type into it."""
        await self.field(key, within).fill(text)

    async def sees(self, key: str, where: Locator | str = "body", **values: object) -> None:
        """The sentence stands there, or comes."""
        place = self.page.locator(where) if isinstance(where, str) else where
        await expect(place.first).to_contain_text(self.t(key, **values), timeout=PATIENCE_MS)

    def card(self, text: str) -> Locator:
        """The newest message that holds this text."""
        return self.page.locator(".msg", has_text=text).last

    async def reads(self, text: str, state: str) -> None:
        """The message's status line reaches this state and says its word."""
        line = self.card(text).locator(".st[data-state]").first
        await expect(line).to_have_attribute("data-state", state, timeout=PATIENCE_MS)

    async def write(self, text: str, subject: str | None = None) -> None:
        """Into the composer, and send it by the keyboard."""
        if subject is not None:
            await self.page.fill("#w-s", subject)
        await self.page.fill("#w-m", text)
        await self.page.press("#w-m", "Control+Enter")
        await expect(self.card(text)).to_be_visible(timeout=PATIENCE_MS)
        await expect(self.page.locator("#w-m")).to_have_value("")
