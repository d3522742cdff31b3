"""Writes the JSON Schemas and the AsyncAPI document that stand in the repository: ``python -m contracts.generate``.

Output: ``contracts/schemas/<topic>/<Event>.json`` (one per event, draft 2020-12) and ``contracts/asyncapi.yaml``
(AsyncAPI 3.0, written as JSON, which is YAML, so that the contracts need no YAML library).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contracts.cloudevents import schema_of
from contracts.payload import Payload
from contracts.topics import TOPICS, Topic

ROOT: Final = Path(__file__).parent
_ATTRIBUTES: Final = {
    "ce_specversion": "CloudEvents version, 1.0",
    "ce_id": "the event's id: the same however often it is published",
    "ce_type": "the event type",
    "ce_source": "/malote/<service>",
    "ce_time": "when it happened, RFC 3339",
    "ce_subject": "the Kafka key without the tenant",
    "ce_dataschema": "the reference of the JSON Schema of the value",
    "ce_tenantid": "the tenant",
    "ce_sequence": "version x 100 + n: grows with the aggregate",
    "content-type": "application/json",
}
_OPTIONAL: Final = {"traceparent": "W3C trace context", "correlation_id": "what the first request gave"}


def files() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content."""
    for topic in TOPICS:
        for kind in topic.events:
            yield ROOT / "schemas" / topic.name / f"{kind.__name__}.json", _text(schema(topic, kind))
    yield ROOT / "asyncapi.yaml", _text(asyncapi())


def schema(topic: Topic, kind: type[Payload]) -> dict[str, Any]:
    """The JSON Schema of one event's value as it is written; readers ignore fields it does not name."""
    made = kind.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_of(topic.name, kind.__name__),
        **made,
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of all topics."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Malote events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka binary mode. Public topics start with mail., internal ones with "
            "malote. and are read and written by Malote's services alone.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {kind.__name__: _message(topic, kind) for topic in TOPICS for kind in topic.events},
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    kept = {"cleanup.policy": ["compact"]} if topic.retention is None else {
        "cleanup.policy": ["delete"], "retention.ms": topic.retention * 1000,
    }  # fmt: skip
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {kind.__name__: _ref("components", "messages", kind.__name__) for kind in topic.events},
        "tags": [{"name": "public" if topic.public else "internal"}],
        "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": kept}},
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for topic in TOPICS:
        for action, services in (("send", topic.sources), ("receive", topic.readers)):
            for name in services:
                channel = _ref("channels", topic.name)
                yield f"{name}-{action}-{topic.name}", {"action": action, "channel": channel, "tags": [{"name": name}]}


def _message(topic: Topic, kind: type[Payload]) -> dict[str, Any]:
    example = json.loads((ROOT / "examples" / topic.name / f"{kind.__name__}.json").read_text())
    return {
        "name": kind.__name__,
        "summary": (kind.__doc__ or "").strip().splitlines()[0],
        "traits": [_ref("components", "messageTraits", "cloudEvent")],
        "payload": {"$ref": f"schemas/{topic.name}/{kind.__name__}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "tenant/<ce_subject>"}}},
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _headers() -> dict[str, Any]:
    about = {**_ATTRIBUTES, **_OPTIONAL}
    properties = {name: {"type": "string", "description": text} for name, text in about.items()}
    return {"type": "object", "required": list(_ATTRIBUTES), "properties": properties}


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(part.replace("/", "~1") for part in path)}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes every file that differs."""
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
