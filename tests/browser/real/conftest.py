"""One real stack and one Chromium for this folder; it runs before the files on the stage (see the parent)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.real.house import TEAMS, House, Team
from tests.browser.real.person import Person
from tests.browser.shots import CHROMIUM

Arrive = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium-headless-shell")
    async with async_playwright() as play:
        made = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        await made.close()


@pytest.fixture(scope="package")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with House(tmp_path_factory.mktemp("house"), tuple(TEAMS.values())) as made:
        yield made


@pytest.fixture(scope="package")
async def channel(house: House) -> str:
    """The connected account of the desk `more`: eight seconds of clock."""
    return await house.connected(TEAMS["more"], undo_seconds=8)


@pytest.fixture
async def arrive(chromium: Browser, house: House) -> AsyncIterator[Arrive]:
    """`await arrive("en", team, "rui")`: somebody who has signed in, in a browser of their own."""
    there: list[Person] = []

    async def come(language: str, team: Team, one: str = "ana", url: str = "") -> Person:
        person = await Person.arrive(chromium, url or house.stack.gateway_url, language)
        there.append(person)
        await person.sign_in(team, one)
        return person

    yield come
    for person in there:
        await person.leave()
