"""CloudEvents 1.0 in Kafka binary mode: the value is the data as JSON, the attributes are headers.

Kafka protocol binding for CloudEvents, sections 3.2 and 3.3. Every key is ``tenant/<key>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from pydantic import ValidationError

from contracts.event import AnyEvent, Event, Trace
from contracts.payload import Payload
from contracts.topics import EVENTS, topic_of

Headers = list[tuple[str, bytes]]
_REQUIRED: Final = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_tenantid", "ce_sequence")
_READ: Final = (*_REQUIRED, "traceparent", "correlation_id")


@dataclass(frozen=True, slots=True)
class Record:
    """What goes onto Kafka for one event."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes


class Undecodable(ValueError):
    """A record that is no event of ours; the message says which attribute or field, never its value."""


def encode(event: AnyEvent) -> Record:
    """The record of one event."""
    topic = topic_of(event.data).name
    headers = [
        *_of_kind(topic, event.type, event.source),
        ("ce_id", event.id.encode()),
        ("ce_time", event.time.isoformat().encode()),
        ("ce_subject", event.subject.encode()),
        ("ce_tenantid", event.tenant.encode()),
        ("ce_sequence", str(event.sequence).encode()),
    ]
    trace = (("traceparent", event.trace.traceparent), ("correlation_id", event.trace.correlation_id))
    headers += [(name, value.encode()) for name, value in trace if value]
    return Record(topic, key(event.tenant, event.subject), headers, event.data.model_dump_json().encode())


@lru_cache(maxsize=500)
def _of_kind(topic: str, event_type: str, source: str) -> Headers:
    """What is the same for all events of a type."""
    return [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_dataschema", schema_of(topic, event_type).encode()),
    ]


def key(tenant: str, subject: str) -> bytes:
    """The Kafka key: the tenant first, so that nobody's key can meet another tenant's."""
    return f"{tenant}/{subject}".encode()


def schema_of(topic: str, event_type: str) -> str:
    """The reference of an event's JSON Schema, as in ``contracts/schemas``."""
    return f"/malote/schemas/{topic}/{event_type}.json"


def decode(headers: Iterable[tuple[str, bytes]], value: bytes) -> AnyEvent:
    """The event of one record; raises Undecodable. Unknown fields and attributes are ignored."""
    octets = dict(headers)
    given = {name: _text(name, octets[name]) for name in _READ if name in octets}
    if missing := [name for name in _REQUIRED if name not in given]:
        raise Undecodable(f"attributes missing: {', '.join(missing)}")
    kind = EVENTS.get(given["ce_type"])
    if kind is None:
        raise Undecodable("ce_type is unknown")
    trace = Trace(given.get("traceparent"), given.get("correlation_id"))
    time, sequence = _time(given["ce_time"]), _sequence(given["ce_sequence"])
    return Event(given["ce_tenantid"], _data(kind, value), time, given["ce_id"], given["ce_source"], sequence, trace)


def _data(kind: type[Payload], value: bytes) -> Payload:
    try:
        return kind.model_validate_json(value)
    except ValidationError as error:
        fields = sorted({".".join(map(str, item["loc"])) or "the value" for item in error.errors(include_input=False)})
        raise Undecodable(f"{kind.__name__} is invalid at: {', '.join(fields)}") from None


def _text(name: str, octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise Undecodable(f"header {name!a} is not UTF-8") from None


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Undecodable("ce_time is no RFC 3339 time") from None
    if found.tzinfo is None:
        raise Undecodable("ce_time has no zone")
    return found


def _sequence(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Undecodable("ce_sequence is no number")
    return int(text)
