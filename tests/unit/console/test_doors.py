"""Nobody gets in, out, or across without what it takes: sessions, CSRF on every change, tenants, foreign addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from services.gateway.adapters.http_app import application
from services.gateway.adapters.rest import Door as RestDoor
from services.gateway.console.door import Door, local
from services.gateway.console.mount import Console, Sign
from services.gateway.console.pages import Page, pages
from services.gateway.domain.message import Person
from services.gateway.domain.who import SCOPES
from services.gateway.routes import endpoints
from tests.unit.gateway.world import CHANNEL, OTHER, TENANT, World, token, tokens, world

TABLE = pages(Door(None, {}, ""))
CLOSED = [page for page in TABLE if not page.open]
CHANGING = [page for page in CLOSED if page.method != "GET"]
HTML = {"accept": "text/html"}


class Browser:
    """A person's browser at the console in memory, signed in with a token of the test's."""

    def __init__(self, made: World, held: str | None) -> None:
        table = endpoints(made.use)
        console = Console(table, tokens(), Sign((b"k" * 32,)))
        app = console.attach(application(RestDoor(tokens()), table))
        cookies = {}
        if held is not None:
            cookies["malote-loopback"] = console._sessions.sealed({"sid": "s", "token": held, "name": "Ana"})
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1", cookies=cookies, headers=HTML
        )

    async def csrf(self) -> str:
        """What a page carries."""
        found = re.search('data-csrf="([^"]+)"', (await self.client.get("/c")).text)
        assert found
        return found[1]

    async def change(self, path: str, csrf: str | None = None, **form: Any) -> httpx.Response:
        """One POST."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if csrf and path.endswith("/picture"):
            headers["x-csrf-token"] = csrf  # its body is a file
        body = httpx.QueryParams({**form, **({"csrf": csrf} if csrf else {})})
        return await self.client.post(path, content=str(body), headers=headers)


@pytest.fixture
async def here() -> World:
    return await world()


@pytest.fixture
async def standing(here: World) -> dict[str, str]:
    """Ids of A's things, as the paths name them."""
    talk = here.conversation(participants=(Person("secret-client@client.test", "Secret Client"),), subject="Secret")
    made = await here.message()
    made = replace(made, conversation_id=talk.conversation_id, subject="Secret subject", text="Secret text")
    here.messages.kept[TENANT, made.message_id] = made
    return {
        "conversation_id": talk.conversation_id, "message_id": made.message_id, "channel_id": CHANNEL,
        "blob_id": str(uuid4()),
    }  # fmt: skip


@pytest.mark.parametrize("page", CLOSED, ids=lambda one: f"{one.method} {one.path}")
async def test_without_a_session_there_is_the_door(here: World, standing: dict[str, str], page: Page) -> None:
    browser, path = Browser(here, None), page.path.format(**standing)
    answer = await browser.client.request(page.method, path, headers={"referer": "http://127.0.0.1/c/x?view=mine"})
    assert answer.status_code == 303
    door = urlsplit(answer.headers["location"])
    assert door.path == "/sign-in"
    if page.method != "GET":
        assert parse_qs(door.query)["to"] == ["/c/x?view=mine"]
    piece = await browser.client.request(page.method, path, headers={"hx-request": "true"})
    assert (piece.status_code, "data-again" in piece.text) == (401, True)
    assert "Secret" not in answer.text + piece.text


@pytest.mark.parametrize("page", CHANGING, ids=lambda one: one.path)
async def test_every_change_needs_its_csrf_token(here: World, standing: dict[str, str], page: Page) -> None:
    browser, before = Browser(here, token()), repr(here.messages.kept) + repr(here.conversations.kept)
    path = page.path.format(**standing)
    for given in (None, "x", "a.b", "nonce.AAAAAAAAAAAAAAAAAAAAAAAA"):
        assert (await browser.change(path, given)).status_code == 403
    assert repr(here.messages.kept) + repr(here.conversations.kept) == before
    assert not here.wishes.kept


@pytest.mark.parametrize("page", CHANGING, ids=lambda one: one.path)
async def test_no_other_site_can_ask_for_a_change(here: World, standing: dict[str, str], page: Page) -> None:
    browser = Browser(here, token())
    csrf = await browser.csrf()
    browser.client.headers["sec-fetch-site"] = "cross-site"
    assert (await browser.change(page.path.format(**standing), csrf)).status_code == 403
    browser.client.headers["sec-fetch-site"] = "same-origin"
    browser.client.headers["origin"] = "https://evil.test"
    assert (await browser.change(page.path.format(**standing), csrf)).status_code == 403


@pytest.mark.parametrize("page", [one for one in CLOSED if "{" in one.path], ids=lambda one: f"{one.method} {one.path}")
async def test_tenant_b_sees_and_does_nothing_with_as_ids(here: World, standing: dict[str, str], page: Page) -> None:
    browser, before = Browser(here, token(tenant=OTHER, sub="eve", operator=None)), repr(here.messages.kept)
    path, csrf = page.path.format(**standing), await browser.csrf()
    if page.method == "GET":
        answer = await browser.client.get(path)
    else:
        answer = await browser.change(path, csrf, subject="s", text="t", key="k1", html="x", name="Support")
    assert answer.status_code in ((204, 404) if path.endswith("/read") else (404,))
    assert "Secret" not in answer.text
    assert "desk@acme.test" not in answer.text
    assert repr(here.messages.kept) == before
    assert not here.wishes.kept


async def test_a_token_of_another_issuer_or_an_expired_one_is_no_session(here: World) -> None:
    for held in (token(exp=1), token(iss="http://evil.test"), "x.y.z"):
        assert (await Browser(here, held).client.get("/c")).status_code == 303


async def test_a_cookie_that_is_not_ours_is_no_session(here: World) -> None:
    browser = Browser(here, None)
    browser.client.cookies.set("malote-loopback", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA")
    assert (await browser.client.get("/c")).status_code == 303


async def test_plain_http_from_elsewhere_offers_no_way_in(here: World) -> None:
    browser = Browser(here, None)
    answer = await browser.client.get("http://desk.example/sign-in")
    assert "without https" in answer.text


async def test_a_reader_without_scopes_gets_no_buttons_and_no_deeds(here: World, standing: dict[str, str]) -> None:
    reader = [one for one in SCOPES if one.endswith(":read")]
    browser = Browser(here, token(*reader))
    shown = (await browser.client.get(f"/c/{standing['conversation_id']}")).text
    assert 'id="composer"' not in shown
    assert "/hide" not in shown
    answer = await browser.change(f"/c/{standing['conversation_id']}/hide", await browser.csrf())
    assert answer.status_code in (403, 404)
    assert not any(one.hidden for one in here.conversations.kept.values())


@pytest.mark.parametrize("path", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:x", "", "/c\r\nx"])
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local(path) == "/c"


async def test_every_answer_carries_its_policy(here: World, standing: dict[str, str]) -> None:
    browser = Browser(here, token())
    for path in ("/sign-in", "/c", f"/c/{standing['conversation_id']}", "/settings/channels", "/nothing/here"):
        policy = (await browser.client.get(path)).headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
    body = await browser.client.get("/c/{conversation_id}/m/{message_id}/body".format(**standing))
    assert "sandbox" in body.headers["content-security-policy"]
    assert "script-src" not in body.headers["content-security-policy"]
