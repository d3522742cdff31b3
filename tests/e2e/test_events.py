"""What other teams see: the public events of a small story, and of everything else these tests did before."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from contracts.topics import CHANNEL_STATUS, OUTBOUND
from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.ear import Ear, Heard
from tests.infra.smtp_peer import Action, Peer, Rule, Stage

SCHEMAS = Path("contracts/schemas")
PUBLIC = (OUTBOUND.name, CHANNEL_STATUS.name)
FINAL = {"MessageSent", "MessageFailed", "MessageInterrupted"}
BODY, SECRET = "the-body-nobody-else-reads", "the-password-nobody-reads"
_TRACE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@pytest.fixture(scope="module")
async def story(desk: Desk, peers: Any, ear: Ear) -> dict[str, str]:
    """Messages that end in each way there is, by the name of the way."""
    peer: Peer = peers.plain
    peer.script(
        Rule(Stage.RCPT, code=550, text="5.1.1 no such user", recipient="refused@"),
        Rule(Stage.RCPT, recipient="deferred@", times=1),
        Rule(Stage.FINAL, Action.DROP, recipient="lost@", times=1),
    )
    quick = await desk.connected(peer.port, smtp={"secret": SECRET})
    slow = await desk.connected(peer.port, undo_seconds=120)
    ends = {}
    for name in ("sent", "refused", "deferred", "lost"):
        conversation = await desk.conversation(quick, f"{name}@client.test")
        ends[name] = await desk.send(conversation, text=BODY)
    ends["interrupted"] = await desk.send(await desk.conversation(slow, "undo@client.test"), text=BODY)
    await desk.interrupt(ends["interrupted"])
    await desk.interrupt(ends["interrupted"])
    await desk.reached(ends["sent"], "sent")
    await desk.interrupt(ends["sent"])
    ends["removed"] = await desk.send(await desk.conversation(slow, "gone@client.test"), text=BODY)
    await desk.reached(ends["removed"], "queued")
    await desk.ok("DELETE", f"/v1/channels/{slow}")
    for message in ends.values():
        await desk.reached(message)
    await ear.settle()
    peer.script()
    return ends | {"quick": quick, "slow": slow}


def _kinds(ear: Ear, message_id: str) -> list[str]:
    seen: dict[str, str] = {}
    for said in ear.events(OUTBOUND.name):
        if said.data.message_id == message_id:
            seen.setdefault(said.id, said.type)
    return list(seen.values())


def _public(ear: Ear) -> list[Heard]:
    return [one for topic in PUBLIC for one in ear.on(topic) if one.ours]


@cache
def _schema(topic: str, kind: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / topic / f"{kind}.json").read_text()))


@pytest.mark.parametrize(
    ("end", "kinds"),
    [
        ("sent", ["MessageQueued", "MessageCommitted", "MessageSent"]),
        ("refused", ["MessageQueued", "MessageFailed"]),
        ("deferred", ["MessageQueued", "MessageDeferred", "MessageCommitted", "MessageSent"]),
        ("lost", ["MessageQueued", "MessageCommitted", "MessageFailed"]),
        ("removed", ["MessageQueued", "MessageFailed"]),
    ],
)
def test_each_end_is_told_step_by_step(story: dict[str, str], ear: Ear, end: str, kinds: list[str]) -> None:
    told = [kind for kind in _kinds(ear, story[end]) if kind != "InterruptAnswered"]
    assert told == kinds


def test_an_interrupted_message_is_told_and_never_committed(story: dict[str, str], ear: Ear) -> None:
    told = _kinds(ear, story["interrupted"])
    assert [kind for kind in told if kind != "InterruptAnswered"] in (
        ["MessageQueued", "MessageInterrupted"], ["MessageInterrupted"],
    )  # fmt: skip


def test_every_public_record_is_valid_against_its_schema(story: dict[str, str], ear: Ear) -> None:
    public = _public(ear)
    assert {one.attributes["ce_type"] for one in public} >= {*FINAL, "MessageDeferred", "InterruptAnswered"}
    for one in public:
        _schema(one.topic, one.attributes["ce_type"]).validate(json.loads(one.value or b""))


def test_headers_and_keys_are_as_the_contract_says(story: dict[str, str], ear: Ear) -> None:
    for one in _public(ear):
        given = one.attributes
        assert (given["content-type"], given["ce_specversion"]) == ("application/json", "1.0")
        assert UUID(given["ce_id"]).version == 5
        assert given["ce_source"] == "/malote/outbox"
        assert datetime.fromisoformat(given["ce_time"]).tzinfo is not None
        assert one.key == f"{given['ce_tenantid']}/{given['ce_subject']}".encode()
        assert given["ce_dataschema"] == f"/malote/schemas/{one.topic}/{given['ce_type']}.json"
        assert (SCHEMAS / one.topic / f"{given['ce_type']}.json").is_file()
        assert int(given["ce_sequence"]) // 100 == json.loads(one.value or b"")["version"]
        assert len(given) == len(one.headers), "an attribute stands twice"


def test_a_message_carries_the_trace_of_its_request_to_the_end(story: dict[str, str], ear: Ear) -> None:
    traces = {}
    for said in ear.events(OUTBOUND.name):
        if said.data.message_id == story["sent"] and said.type != "InterruptAnswered":
            assert _TRACE.fullmatch(said.trace.traceparent or ""), said.type
            traces[said.type] = (said.trace.traceparent or "")[3:35]
    assert len(set(traces.values())) == 1, traces


def test_facts_of_a_message_come_in_order_with_rising_versions(story: dict[str, str], ear: Ear) -> None:
    for message, events in _by_message(ear.on(OUTBOUND.name)).items():
        facts = [said for said in events if said.type != "InterruptAnswered"]
        sequences = [said.sequence for said in facts]
        assert sequences == sorted(set(sequences)), message
        finals = [said.type for said in facts if said.type in FINAL]
        assert len(finals) <= 1, message
        assert not finals or facts[-1].type in FINAL, message
        kinds = [said.type for said in facts]
        assert kinds[0] in ("MessageQueued", "MessageInterrupted", "MessageFailed"), message


def _by_message(records: Iterable[Heard]) -> dict[str, list[Any]]:
    seen, found = set(), defaultdict(list)
    for one in records:
        if one.ours and (said := one.event).id not in seen:
            seen.add(said.id)
            found[said.data.message_id].append(said)
    return found


def test_a_repeat_has_the_same_id_and_the_same_bytes(story: dict[str, str], ear: Ear) -> None:
    values = defaultdict(set)
    for one in _public(ear):
        values[one.attributes["ce_id"]].add(one.value)
    assert all(len(same) == 1 for same in values.values())


def test_the_channel_says_what_it_went_through(story: dict[str, str], ear: Ear) -> None:
    key = f"{story['quick']}/smtp"
    states = [said.data.state for said in ear.events(CHANNEL_STATUS.name) if said.subject == key]
    assert states[-1] == "connected"
    removed = [
        one for one in ear.on(CHANNEL_STATUS.name) if (one.key or b"").endswith(f"{story['slow']}/smtp".encode())
    ]
    assert removed[-1].value is None, "a removed channel leaves its key on the compacted topic"


def test_nothing_secret_is_public(story: dict[str, str], ear: Ear) -> None:
    spoken = b"\n".join(one.value or b"" for one in _public(ear))
    assert story["sent"].encode() in spoken
    for word in (BODY, SECRET, builders.PASSWORD, "jwe", "password", "eyJ"):
        assert word.encode() not in spoken, word


def test_no_password_is_readable_on_any_topic(story: dict[str, str], ear: Ear) -> None:
    for one in ear.heard:
        assert SECRET.encode() not in (one.value or b""), one.topic
        assert builders.PASSWORD.encode() not in (one.value or b""), one.topic
