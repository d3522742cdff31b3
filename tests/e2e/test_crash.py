"""kill -9 of each service in the middle of traffic: nothing lost, nothing doubled, it resumes. SIGTERM drains."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import builders
from tests.e2e.desk import FINAL, Desk
from tests.e2e.ear import Ear
from tests.e2e.mail import mails
from tests.infra.smtp_peer import Action, Peer, Rule, Stage
from tests.infra.stack import EVERYTHING, Stack

MESSAGES = 24
KILL_AFTER = 8
PATIENCE_S = 90
"""A busy machine needs long to start a service again; how quick it is, `make kills` measures."""


@pytest.fixture(scope="module")
async def channels(desk: Desk, peers: Any) -> list[str]:
    """Three channels without an undo window."""
    made = [await desk.channel(peers.plain.port, name=f"Crash {n}") for n in range(3)]
    for channel_id in made:
        await desk.smtp(channel_id, "connected")
    return made


async def _sent(desk: Desk, conversation: str, text: str) -> str:
    """Send with one key until somebody says 202, as a careful program does."""
    key, limit = str(uuid4()), time.monotonic() + PATIENCE_S
    while time.monotonic() < limit:
        try:
            answer = await desk.call(
                "POST", "/v1/messages", builders.message(conversation, text=text), headers={"Idempotency-Key": key}
            )
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.status_code == 202:
            return str(answer.json()["message_id"])
        assert answer.status_code == 503, f"{answer.status_code} {answer.text}"
        await asyncio.sleep(0.1)
    raise AssertionError(f"not accepted within {PATIENCE_S} s")


async def _traffic(desk: Desk, channels: list[str], name: str) -> tuple[dict[str, str], asyncio.Event]:
    """Conversations for a run, by client; the event is for the killer."""
    clients = [f"{name}{n}@client.test" for n in range(6)]
    made = await asyncio.gather(
        *(desk.conversation(channels[n % len(channels)], client) for n, client in enumerate(clients))
    )
    return dict(zip(clients, made, strict=True)), asyncio.Event()


async def _through(desk: Desk, channels: list[str], name: str, blow: Any) -> list[str]:
    """Send `MESSAGES`, deal the blow after the first few, return the accepted ids once all are final."""
    conversations, go = await _traffic(desk, channels, name)

    async def send(n: int, conversation: str) -> str:
        if n == KILL_AFTER:
            go.set()
        return await _sent(desk, conversation, f"{name} {n}")

    async def hit() -> None:
        await go.wait()
        await blow()

    striking = asyncio.create_task(hit())
    accepted = []
    targets = list(conversations.values())
    try:
        for start in range(0, MESSAGES, 4):
            wave = range(start, start + 4)
            accepted += await asyncio.gather(*(send(n, targets[n % len(targets)]) for n in wave))
    finally:
        go.set()
        await striking
    for message in accepted:
        await desk.reached(message, within_s=PATIENCE_S)
    return accepted


async def _check(desk: Desk, peer: Peer, ear: Ear, accepted: list[str], name: str, *, parks: bool = False) -> None:
    """Each accepted message was taken once, or (where it `parks`) is parked; nobody got two copies."""
    await ear.settle()
    assert len(set(accepted)) == MESSAGES
    copies = Counter(mail.header("Message-ID") for mail in mails(peer) if name in mail.text)
    assert not [one for one, number in copies.items() if number > 1], "two copies"
    for message in accepted:
        seen = await desk.message(message)
        assert seen["status"] in FINAL
        if seen["status"] == "failed":
            assert parks, seen
            assert seen["reason"] == "outcome_unknown", seen
        else:
            assert copies[seen["internet_message_id"]] == 1, seen


@pytest.mark.parametrize("service", EVERYTHING)
async def test_a_kill_loses_nothing_and_doubles_nothing(
    stack: Stack, desk: Desk, channels: list[str], peer: Peer, ear: Ear, service: str
) -> None:
    instance = f"{service}-0"

    async def blow() -> None:
        await stack.kill9(instance)
        await asyncio.sleep(0.3)
        await stack.restart(instance)

    name = f"kill-{service}-"
    peer.script(Rule(Stage.FINAL, Action.PASS, delay=0.2))  # so that the blow falls into open transmissions
    accepted = await _through(desk, channels, name, blow)
    await _check(desk, peer, ear, accepted, name, parks=service == "outbox")


async def test_a_term_drains_and_ends_with_zero(
    stack: Stack, desk: Desk, channels: list[str], peer: Peer, ear: Ear
) -> None:
    codes = {}

    async def blow() -> None:
        for service in EVERYTHING:
            codes[service] = await stack.terminate(f"{service}-0")
            await stack.restart(f"{service}-0", wait=False)
        await stack.crew.until_ready([f"{service}-0" for service in EVERYTHING])

    name = "term-"
    accepted = await _through(desk, channels, name, blow)
    assert codes == dict.fromkeys(EVERYTHING, 0)
    await _check(desk, peer, ear, accepted, name)
    for message in accepted:
        assert (await desk.message(message))["status"] == "sent", "a drain parks nothing"
    for service in EVERYTHING:
        assert "drain_cut_short" not in stack.log(f"{service}-0").read_text(), service


async def test_settings_changed_while_config_is_down_come_true(stack: Stack, desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Before")
    await stack.kill9("config-0")
    seen = await desk.call("GET", f"/v1/channels/{channel}")
    body = builders.channel(builders.server(peer.port, secret=None), name="After")
    body["imap"] = builders.server(builders.IMAP_PORT, secret=None, security="tls")
    answer = await desk.call("PUT", f"/v1/channels/{channel}", body, headers={"If-Match": seen.headers["etag"]})
    assert answer.status_code == 202, answer.text
    await stack.restart("config-0")
    await desk.until(f"/v1/channels/{channel}", lambda now: now["name"] == "After", PATIENCE_S)
