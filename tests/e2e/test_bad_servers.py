"""Mail servers that are wrong, and hosts nobody may be led to: the channel's state says which, and how to go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests import builders
from tests.e2e.conftest import Peers
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived
from tests.e2e.problems import problem
from tests.infra.stack import Stack
from tests.unit.kit.private_spellings import PRIVATE_SPELLINGS

INSIDE = ("127.0.0.1", "127.255.255.254", "localhost", *PRIVATE_SPELLINGS)


@pytest.mark.parametrize(
    ("which", "changes", "state", "reason"),
    [
        ("closed", {}, "unreachable", "refused_connection"),
        ("guarded", {}, "auth_failed", "authentication_failed"),
        ("expired", {"security": "tls"}, "unreachable", "tls_certificate"),
        ("wrong_name", {"security": "tls"}, "unreachable", "tls_certificate"),
        ("stripped", {"security": "starttls"}, "unreachable", "starttls_missing"),
        ("plain", {"security": "tls"}, "unreachable", "tls_failed"),
    ],
)
async def test_a_wrong_server_is_told_from_the_next(
    desk: Desk, peers: Peers, which: str, changes: dict[str, Any], state: str, reason: str
) -> None:
    port = peers.closed if which == "closed" else getattr(peers, which).port
    channel = await desk.channel(port, smtp=changes, name=which)
    smtp = await desk.smtp(channel, state, reason)
    assert smtp["since"]
    assert smtp["next_retry_at"] or state == "auth_failed"
    await desk.ok("DELETE", f"/v1/channels/{channel}")


async def test_a_host_that_does_not_exist_is_told(desk: Desk, peers: Peers) -> None:
    server = builders.server(2525, host="mail.no-such-host.invalid", security="tls")
    answer = await desk.call("POST", "/v1/channels", builders.channel(server))
    if answer.is_success:
        await desk.smtp(answer.json()["channel_id"], "unreachable", "unresolvable")
    else:
        problem(answer, 422, None, "smtp.host")


async def test_a_good_certificate_connects(desk: Desk, peers: Peers) -> None:
    await desk.connected(peers.tls.port, smtp={"security": "tls"}, name="Good")


async def test_the_right_password_mends_it_and_what_waited_goes_out(desk: Desk, peers: Peers) -> None:
    channel = await desk.channel(peers.guarded.port, name="Mended")
    await desk.smtp(channel, "auth_failed", "authentication_failed")
    message = await desk.send(await desk.conversation(channel, "mended@client.test"))
    assert (await desk.reached(message, "queued"))["interruptible"]
    seen = await desk.call("GET", f"/v1/channels/{channel}")
    body = builders.channel(builders.server(peers.guarded.port, "the right one"), name="Mended")
    body["imap"] = builders.server(builders.IMAP_PORT, secret=None, security="tls")
    await desk.ok("PUT", f"/v1/channels/{channel}", body, headers={"If-Match": seen.headers["etag"]})
    await desk.smtp(channel, "connected")
    await arrived(peers.guarded, "mended@client.test")
    assert (await desk.reached(message))["status"] == "sent"


async def test_a_moved_server_needs_its_password_again(desk: Desk, peers: Peers) -> None:
    channel = await desk.connected(peers.plain.port, name="Moved")
    for changes in ({"port": peers.guarded.port}, {"host": "localhost"}, {"user_name": "other"}, {"security": "tls"}):
        server = builders.server(peers.plain.port, secret=None) | changes
        body = builders.channel(server, name="Moved")
        body["imap"] = builders.server(builders.IMAP_PORT, secret=None, security="tls")
        problem(await desk.call("PUT", f"/v1/channels/{channel}", body), 422, "secret_required", "smtp")


async def test_channels_are_limited_and_can_be_forbidden(stack: Stack, peers: Peers) -> None:
    async with await Desk.open(stack, max_channels=1) as small:
        channel = await small.connected(peers.plain.port)
        more = await small.call("POST", "/v1/channels", builders.channel(builders.server(peers.plain.port)))
        problem(more, 422 if more.status_code == 422 else 409, "channel_limit")
        conversation = await small.conversation(channel, "limit@client.test")
        await small.put_tenant(email_enabled=False)
        answer = await small.call("POST", "/v1/messages", builders.message(conversation))
        problem(answer, 403, "email_disabled")
        await small.put_tenant()
        await small.send(conversation)
        await arrived(peers.plain, "limit@client.test")


@pytest.fixture
async def strict(stack: Stack, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A second gateway whose platform allows nothing the table denies."""
    name = stack.start("gateway", 1, MALOTE_EGRESS_ALLOW="[]")
    await stack.crew.until_ready([name])
    async with httpx.AsyncClient(base_url=stack.url(name), headers=desk.auth(), timeout=20) as client:
        yield client
    await stack.terminate(name)


async def test_no_channel_moves_to_an_inner_address(strict: httpx.AsyncClient, desk: Desk, peers: Peers) -> None:
    channel = await desk.connected(peers.plain.port, name="Stays")
    before = await desk.ok("GET", f"/v1/channels/{channel}")
    for host in INSIDE:
        body = builders.channel(builders.server(2525, security="tls", host=host), name="Moved inside")
        body["imap"]["host"] = "1.1.1.1"
        answer = await strict.put(f"/v1/channels/{channel}", json=body)
        problem(answer, 422, None, "smtp.host")
    assert await desk.ok("GET", f"/v1/channels/{channel}") == before


async def test_no_spelling_of_an_inner_address_is_taken(strict: httpx.AsyncClient, desk: Desk) -> None:
    assert len(PRIVATE_SPELLINGS) >= 40
    before = [one["channel_id"] for one in (await desk.ok("GET", "/v1/channels"))["items"]]
    for host in INSIDE:
        for direction in ("smtp", "imap"):
            body = builders.channel(builders.server(2525, security="tls", host="1.1.1.1"))
            body["imap"]["host"] = "1.1.1.1"
            body[direction]["host"] = host
            answer = await strict.post("/v1/channels", json=body)
            assert answer.status_code == 422, f"{host!r}: {answer.status_code} {answer.text}"
            said = problem(answer, 422, None, f"{direction}.host")
            assert said["code"] in ("host_not_allowed", "invalid"), said
    assert [one["channel_id"] for one in (await desk.ok("GET", "/v1/channels"))["items"]] == before
