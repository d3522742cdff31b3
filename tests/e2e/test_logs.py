"""The logs of everything these tests did: JSON line by line, and nobody's words, addresses or passwords in them.

Runs last; by itself it writes a story of its own into the logs first.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived
from tests.infra.smtp_peer import Action, Peer, Rule, Stage
from tests.infra.stack import EVERYTHING, Stack

SUBJECT, TEXT, NAME, SECRET = "zanzibar-subject", "zanzibar-body", "zanzibar-client-name", "zanzibar-password"
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@pytest.fixture(scope="module")
async def lines(desk: Desk, peers: object, stack: Stack) -> dict[str, list[str]]:
    """Every line of every instance, after good and bad things happened to marked words."""
    peer: Peer = peers.plain  # type: ignore[attr-defined]
    peer.script(
        Rule(Stage.RCPT, code=550, text="5.1.1 <zanzibar-no@client.test> is unknown", recipient="zanzibar-no@"),
        Rule(Stage.FINAL, Action.DROP, recipient="zanzibar-lost@", times=1),
    )
    channel = await desk.connected(peer.port, smtp={"secret": SECRET, "user_name": "zanzibar-user@desk.test"})
    for client in ("zanzibar-yes", "zanzibar-no", "zanzibar-lost"):
        person = {"address": f"{client}@client.test", "name": NAME}
        body = builders.conversation(channel, first=builders.words(SUBJECT, TEXT), clients=[person])
        started = await desk.ok("POST", "/v1/conversations", body)
        await desk.reached(started["message"]["message_id"])
    await arrived(peer, "zanzibar-yes@client.test")
    await desk.channel(peers.guarded.port, smtp={"secret": SECRET})  # type: ignore[attr-defined]
    await desk.call("POST", "/v1/conversations", {"zanzibar-field": SECRET, "clients": [{"address": "bad @x"}]})
    await desk.call("POST", "/v1/messages", builders.message("zanzibar", subject=f"{SUBJECT}\r\nBcc: x@y.test"))
    peer.script()
    return _written(stack)


def _written(stack: Stack) -> dict[str, list[str]]:
    files: dict[str, Path] = {name: stack.log(name) for name in stack.crew.members}
    return {
        name: path.read_text("utf-8", "replace").splitlines()
        for name, path in files.items()
        if name.rpartition("-")[0] in EVERYTHING
    }


def test_every_line_is_one_json_object(lines: dict[str, list[str]]) -> None:
    assert {name.rpartition("-")[0] for name in lines} >= set(EVERYTHING)
    for name, written in lines.items():
        assert written, f"{name} wrote nothing"
        for line in written:
            try:
                said = json.loads(line)
            except ValueError:
                pytest.fail(f"{name} wrote a line that is no JSON: {line[:300]}")
            assert isinstance(said, dict), (name, line[:300])


@pytest.mark.parametrize("word", [SUBJECT, TEXT, NAME, SECRET, "zanzibar", builders.PASSWORD])
def test_no_marked_word_is_in_any_line(lines: dict[str, list[str]], word: str) -> None:
    for name, written in lines.items():
        for line in written:
            assert word not in line, f"{name}: {line[:500]}"


def test_no_address_is_in_any_line(lines: dict[str, list[str]]) -> None:
    for name, written in lines.items():
        for line in written:
            found = _ADDRESS.search(line)
            assert not found, f"{name}: {found and found[0]} in {line[:500]}"


def test_no_sealed_secret_and_no_token_is_in_any_line(lines: dict[str, list[str]]) -> None:
    for name, written in lines.items():
        for line in written:
            assert not re.search(r"eyJ[A-Za-z0-9_-]{10,}", line), f"{name}: {line[:500]}"
            assert "Bearer" not in line, f"{name}: {line[:500]}"
