"""Tenant B with A's ids on every route and page: the same as with ids that do not exist, and nothing is shown or done.

The requests come from the tables of routes, so a new route is asked as well, or fails here as unclassified.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from contracts.topics import CHANNELS
from services.gateway.adapters.rest_requests import PreviewBody
from services.gateway.console.sessions import PLAIN, Sessions, read_keys
from services.kit.ids import uuid7
from tests import builders
from tests.e2e.conftest import Peers
from tests.e2e.desk import SCOPES, Desk
from tests.e2e.ear import Ear
from tests.e2e.every_route import Ids, Line, console, described, mixed, rest
from tests.e2e.mail import mails
from tests.e2e.problems import problem
from tests.infra.stack import Stack
from tests.unit.gateway.world import tokens

MARK, OWN = "Confidential", "Ordinary"
"""Stand in everything of A's, or of B's, that could be shown."""
VARYING = re.compile(
    rb'csrf" value="[^"]*"|data-csrf="[^"]*"|data-server-now="[^"]*"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
)
NOT_MISSING = {"POST /c/new": 422, "POST /c/{conversation_id}/read": 204}
"""What a page answers to unknown ids where that is no 404: the form again, with what was typed; or nothing at all."""


async def owned(desk: Desk, peers: Peers, ear: Ear, mark: str) -> dict[str, str]:
    """One of everything, by the names of the paths."""
    await desk.ok("PUT", f"/v1/operators/{desk.rui}", builders.operator(f"{mark} Rui"))
    channel = await desk.connected(peers.plain.port, undo_seconds=120, name=f"{mark} channel")
    conversation = await desk.conversation(channel, f"{mark.lower()}@client.test")
    message = await desk.send(conversation, subject=f"{mark} subject", text=f"{mark} text")
    await desk.reached(message, "queued")
    await desk.sign(channel, "default", builders.signature(text=f"{mark} signature"))
    upload = await desk.http.post(
        "/v1/uploads", params={"file_name": f"{mark}.txt"}, content=mark.encode(), headers=desk.auth()
    )
    draft = f"c-{conversation}"
    await desk.ok("PUT", f"/v1/drafts/{draft}", {"fields": {"text": [f"{mark} draft"]}})

    def made() -> str | None:
        states = [one.event.data for one in ear.on(CHANNELS.name) if one.ours]
        return next((str(one.request_id) for one in states if getattr(one, "channel_id", "") == channel), None)

    return {
        "channel_id": channel, "conversation_id": conversation, "message_id": message, "operator_id": desk.rui,
        "blob_id": upload.json()["blob_id"], "tenant_id": desk.tenant, "draft_name": draft,
        "request_id": await ear.until(made, 10, "the channel's first state"),
    }  # fmt: skip


def unknown(ids: Ids) -> dict[str, str]:
    """As many ids that nobody has."""
    return {name: f"c-{uuid7()}" if name == "draft_name" else str(uuid7()) for name in ids}


@pytest.fixture(scope="module")
async def ids(desk: Desk, peers: Peers, ear: Ear) -> dict[str, str]:
    return await owned(desk, peers, ear, MARK)


@pytest.fixture(scope="module")
async def stranger(stack: Stack) -> AsyncIterator[Desk]:
    async with await Desk.open(stack) as made:
        yield made


@pytest.fixture(scope="module")
async def own(stranger: Desk, peers: Peers, ear: Ear) -> dict[str, str]:
    return await owned(stranger, peers, ear, OWN)


async def seen(desk: Desk, ids: Ids) -> dict[str, bytes]:
    """All that A sees of what is theirs."""
    lines = [one for one in (*rest().foreign, *rest().lists) if one.method == "GET" and one.path != "/v1/events"]
    lines += [one for one in rest().own if one.method == "GET"]
    answers = await asyncio.gather(*(desk.call("GET", one.at(ids)) for one in lines))
    return {line.title: answer.content for line, answer in zip(lines, answers, strict=True)}


async def asked(who: Desk, line: Line, ids: Ids) -> httpx.Response:
    return await who.call(line.method, line.at(ids), line.body(ids), headers={"Idempotency-Key": str(uuid7())})


def plain(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, body and headers without what is different each time."""
    headers = [(name, value) for name, value in answer.headers.items() if name not in ("date", "traceparent")]
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("line", rest().foreign, ids=lambda line: line.title)
async def test_over_rest_another_tenants_ids_are_ids_that_do_not_exist(
    desk: Desk, ids: Ids, stranger: Desk, own: Ids, line: Line
) -> None:
    before = await seen(desk, ids)
    for foreign, nothing in mixed(line, own, ids, unknown(ids)):
        answers = [await asked(stranger, line, one) for one in (foreign, nothing)]
        alone = line.endpoint and line.endpoint.takes is PreviewBody and foreign["channel_id"] == own["channel_id"]
        problem(answers[0], 422 if alone else 404)  # an operator named in a body is a wrong field
        assert plain(answers[0]) == plain(answers[1]), described(line, foreign)
    assert await seen(desk, ids) == before, line.title


async def test_over_rest_an_id_that_one_may_choose_makes_ones_own(desk: Desk, ids: Ids, stack: Stack) -> None:
    before = await seen(desk, ids)
    async with await Desk.open(stack) as other:
        for line in rest().own:
            answer = await asked(other, line, ids)
            needed = line.endpoint.scopes if line.endpoint else ()
            assert answer.status_code == (403 if "platform:tenants" in needed else 200), line.title
            assert MARK not in answer.text, line.title
    assert await seen(desk, ids) == before


async def test_over_rest_lists_show_ones_own(stack: Stack, ids: Ids) -> None:
    async with await Desk.open(stack) as other:
        for line in rest().lists:
            if line.method == "GET" and line.path != "/v1/events":
                for query in ({}, {"channel_id": ids["channel_id"]}, {"q": MARK}):
                    answer = await other.call("GET", line.path, params=query)
                    assert answer.status_code == 200, line.title
                    assert MARK.lower() not in answer.text.lower(), line.title
                    assert not any(one in answer.text for one in ids.values()), line.title


class Browser:
    """A person of a tenant at the console, with the session that their sign-in would have made."""

    def __init__(self, stack: Stack, desk: Desk) -> None:
        token = stack.token(desk.tenant, SCOPES, operator=desk.ana)
        sealed = Sessions(tokens(), read_keys(stack.keys.console)).sealed({"sid": "s", "token": token, "name": "Eve"})
        self.client = httpx.AsyncClient(
            base_url=stack.gateway_url, timeout=20, headers={"accept": "text/html"}, cookies={PLAIN: sealed}
        )

    async def csrf(self) -> str:
        found = re.search('data-csrf="([^"]+)"', (await self.client.get("/c")).text)
        assert found
        return found[1]

    async def asked(self, line: Line, ids: Ids, csrf: str | None) -> httpx.Response:
        """The token stands in a form or, where a script asks or a file is sent, in a header."""
        form: dict[str, Any] = line.form(ids) | ({"csrf": csrf} if csrf is not None else {})
        if line.method == "GET":
            return await self.client.get(line.at(ids))
        if line.page and line.page.file:
            headers = {"x-csrf-token": csrf} if csrf is not None else {}
            return await self.client.post(line.at(ids), content=b"GIF89a", headers=headers)
        return await self.client.post(line.at(ids), data=form)


@pytest.fixture(scope="module")
async def browser(stack: Stack, stranger: Desk) -> AsyncIterator[Browser]:
    made = Browser(stack, stranger)
    yield made
    await made.client.aclose()


@pytest.mark.parametrize("line", console().foreign, ids=lambda line: line.title)
async def test_at_the_console_another_tenants_ids_are_ids_that_do_not_exist(
    desk: Desk, ids: Ids, browser: Browser, own: Ids, line: Line
) -> None:
    before, csrf = await seen(desk, ids), await browser.csrf()
    for foreign, nothing in mixed(line, own, ids, unknown(ids)):
        answers = [await browser.asked(line, one, csrf) for one in (foreign, nothing)]
        assert MARK.lower() not in answers[0].text.lower(), described(line, foreign)
        statuses = [one.status_code for one in answers]
        assert statuses == [NOT_MISSING.get(line.title, 404)] * 2, described(line, foreign)
        shown = [VARYING.sub(b"", one.content) for one in answers]
        assert shown[0] == shown[1], described(line, foreign)
    assert await seen(desk, ids) == before, line.title


@pytest.mark.parametrize(
    "line", [one for one in console().lists if one.method == "GET"], ids=lambda line: line.title
)  # those that change something name nothing; that they want a token is asked below
async def test_at_the_console_pages_show_ones_own(stack: Stack, ids: Ids, line: Line) -> None:
    async with await Desk.open(stack) as other:
        browser = Browser(stack, other)
        for query in (
            {},
            {"channel": ids["channel_id"], "channel_id": ids["channel_id"], "show": "convs,accounts"},
            {"c": ids["conversation_id"], "show": "convs,msgs"},
        ):
            status, text = await begun(browser, line.path, query)
            assert MARK.lower() not in text.lower()
            assert status < 500
        await browser.client.aclose()


async def begun(browser: Browser, path: str, query: dict[str, str]) -> tuple[int, str]:
    """Status and text of a page; of the live stream, which never ends, what it begins with."""
    async with browser.client.stream("GET", path, params=query) as answer:
        text = ""
        async for piece in answer.aiter_text():
            text += piece
            if path == "/live" and "event: beat" in text:
                break
        return answer.status_code, text


@pytest.mark.parametrize(
    "line", [one for one in (*console().foreign, *console().lists) if one.method != "GET"], ids=lambda line: line.title
)
async def test_at_the_console_no_change_without_the_csrf_token(desk: Desk, ids: Ids, stack: Stack, line: Line) -> None:
    """With the owner's own session: only the token is missing, wrong, or of another session."""
    before, browser = await seen(desk, ids), Browser(stack, desk)
    for csrf in (None, "", "x", "a.b", "nonce.AAAAAAAAAAAAAAAAAAAAAAAA"):
        answer = await browser.asked(line, ids, csrf)
        assert answer.status_code == 403, f"{line.title} {csrf}: {answer.status_code}"
    assert await seen(desk, ids) == before
    await browser.client.aclose()


def test_nothing_was_sent(peers: Peers) -> None:
    assert not mails(peers.plain, "x@client.test")
