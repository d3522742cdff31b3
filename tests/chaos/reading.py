"""Turning what the peer and Kafka recorded into the records of a history."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.cloudevents import decode
from contracts.event import AnyEvent
from tests.chaos.history import Spoken, Taken
from tests.infra.smtp_peer import Entry


def message_id_of(header: str) -> str:
    """The message_id inside one of our Message-IDs, or the empty string (see `contracts.threading`; no key needed)."""
    label = header.strip("<>").split(".", 1)[0].upper()
    try:
        return str(UUID(bytes=base64.b32decode(label + "=" * (-len(label) % 8))))
    except (binascii.Error, ValueError):
        return ""


def transmissions(entries: Iterable[Entry]) -> list[Taken]:
    """One `Taken` per transmission in which the peer took at least one octet of content."""
    grouped: dict[tuple[int, int], dict[str, Entry]] = defaultdict(dict)
    for entry in entries:
        grouped[entry.connection, entry.transmission][entry.event] = entry
    found = (_taken(events) for (_, number), events in sorted(grouped.items()) if number)
    return [taken for taken in found if taken is not None]


def _taken(events: dict[str, Entry]) -> Taken | None:
    answered, partial = events.get("answered"), events.get("partial")
    last = answered or partial
    if last is None or not last.fields["size"]:
        return None
    whole = events.get("content", last)
    return Taken(
        message_id=message_id_of(last.fields["message_id"]),
        recipients=tuple(last.fields["recipients"]),
        began_at=events.get("data", whole).wall,
        ended_at=whole.wall,
        size=last.fields["size"],
        complete=answered is not None,
        code=answered.fields["code"] if answered else 0,
        sent=bool(answered and answered.fields["sent"]),
        answered_at=answered.wall if answered else None,
    )


def spoken(headers: Iterable[tuple[str, bytes]], value: bytes) -> Spoken:
    """One record of `mail.outbound.v1`; raises `contracts.cloudevents.Undecodable` for one that breaks the contract."""
    event: AnyEvent = decode(headers, value)
    given: dict[str, Any] = event.data.model_dump()
    return Spoken(
        tenant=event.tenant,
        message_id=given["message_id"],
        kind=event.type,
        event_id=event.id,
        version=event.data.version,
        at=event.time.timestamp(),
        body=hashlib.sha256(value).hexdigest()[:16],
        reason=given.get("reason"),
        recipients=_states(given.get("recipients", ())),
        due_at=_seconds(given.get("due_at")),
        cancel_id=given.get("cancel_id"),
        outcome=given.get("outcome"),
        status=given.get("status"),
    )


def _states(reports: Iterable[Any]) -> dict[str, str]:
    return {one["address"]: str(one["state"]) for one in reports if isinstance(one, dict)}


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
