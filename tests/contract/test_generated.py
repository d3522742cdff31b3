"""What is checked in is what the models say; every event has a valid, real-looking example; nothing is unreferenced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts import generate
from contracts.cloudevents import decode, encode
from contracts.event import event_id
from contracts.payload import Payload
from contracts.topics import OUTBOUND, TOPICS, Topic

ROOT = Path(generate.__file__).parent
KINDS = [(topic, kind) for topic in TOPICS for kind in topic.events]
IDS = [kind.__name__ for _, kind in KINDS]


def example(topic: Topic, kind: type[Payload]) -> dict[str, Any]:
    """The checked-in example of one event."""
    found: dict[str, Any] = json.loads((ROOT / "examples" / topic.name / f"{kind.__name__}.json").read_text())
    return found


def test_regenerated_is_checked_in() -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in generate.files() if not same(path, text)]
    assert not stale, f"run `make schemas`: {stale}"


def same(path: Path, text: str) -> bool:
    """Whether the file stands there with this content."""
    return path.exists() and path.read_text() == text


def test_nothing_is_unreferenced() -> None:
    written = {path for path, _ in generate.files()}
    examples = {ROOT / "examples" / topic.name / f"{kind.__name__}.json" for topic, kind in KINDS}
    standing = {*ROOT.glob("schemas/**/*.json"), *ROOT.glob("examples/**/*.json"), ROOT / "asyncapi.yaml"}
    assert standing == written | examples


def test_every_model_of_the_contracts_is_carried_by_one_topic() -> None:
    def below(kind: type[Payload]) -> set[type[Payload]]:
        found = set(kind.__subclasses__())
        return found | {deeper for child in found for deeper in below(child)}

    leaves = {kind for kind in below(Payload) if not kind.__subclasses__() and kind.__module__.startswith("contracts.")}
    carried = [kind for _, kind in KINDS]
    assert leaves == set(carried)
    assert len(carried) == len(set(carried))


@pytest.mark.parametrize(("topic", "kind"), KINDS, ids=IDS)
def test_the_example_is_valid_and_travels(topic: Topic, kind: type[Payload]) -> None:
    shown = example(topic, kind)
    schema = json.loads((ROOT / "schemas" / topic.name / f"{kind.__name__}.json").read_text())
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(shown["value"])
    value = json.dumps(shown["value"]).encode()
    got = decode([(name, text.encode()) for name, text in shown["headers"].items()], value)
    record = encode(got)
    assert (record.topic, record.key.decode()) == (topic.name, shown["key"])
    assert {name: text.decode() for name, text in record.headers} == shown["headers"]
    assert json.loads(record.value) == shown["value"]
    assert got.id == event_id(got.tenant, got.data)


@pytest.mark.parametrize(("topic", "kind"), KINDS, ids=IDS)
def test_readers_ignore_what_they_do_not_know(topic: Topic, kind: type[Payload]) -> None:
    shown = example(topic, kind)
    value = json.dumps({**shown["value"], "a_field_of_tomorrow": {"x": 1}}).encode()
    headers = [*((name, text.encode()) for name, text in shown["headers"].items()), ("ce_tomorrow", b"1")]
    assert (
        encode(decode(headers, value)).value == encode(decode(headers[:-1], json.dumps(shown["value"]).encode())).value
    )


def test_the_topics_are_frozen() -> None:
    table = {topic.name: (topic.partitions, topic.retention and topic.retention // 86_400) for topic in TOPICS}
    assert table == {
        "mail.inbound.v1": (32, 14),
        "mail.outbound.v1": (32, 14),
        "mail.channel-status.v1": (8, None),
        "malote.channel-requests.v1": (8, 7),
        "malote.tenants.v1": (8, None),
        "malote.channels.v1": (64, None),
        "malote.signature-requests.v1": (8, 7),
        "malote.signatures.v1": (8, None),
        "malote.operators.v1": (8, None),
        "malote.conversations.v1": (8, None),
        "malote.send-requests.v1": (32, 7),
        "malote.composed.v1": (32, 7),
        "malote.cancel-requests.v1": (32, 7),
        "malote.sent-copies.v1": (8, 7),
        "malote.sent-copies-found.v1": (8, 7),
        "malote.request-outcomes.v1": (8, 1),
    }


def test_unknown_words_are_read_as_other() -> None:
    for kind in OUTBOUND.events:
        value = example(OUTBOUND, kind)["value"]
        for name in {"reason", "outcome", "known_by"} & value.keys():
            assert getattr(kind.model_validate({**value, name: "a_word_of_tomorrow"}), name) == "other"
