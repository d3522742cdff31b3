"""The outbound message as a MongoDB document, and back.

Fields are named as in `domain.document`; what is None is absent, so that partial indexes can tell. Two fields are the
store's own: ``waits`` ("tenant/channel_id", only while the message waits for an attempt: the due index), and ``stamps``
(of the last writes, by which a writer finds out that it won).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.kit.mongo import Document, key
from services.kit.owed import owed_event
from services.outbox.domain.document import (
    Cancel,
    Message,
    Policy,
    Raw,
    Reason,
    Recipient,
    RecipientState,
    Status,
    Transmission,
)

SOURCE: Final = "outbox"
WAITING: Final = (Status.QUEUED.value, Status.COMMITTED.value)
_PLAIN: Final = (
    "version", "attempt", "tries", "transmissions", "schema", "channel_id", "conversation_id", "operator_id",
    "internet_message_id", "created_at", "accepted_at", "undo_until", "due_at", "expires_at", "terminal_at",
    "resolved_at", "traceparent", "correlation_id",
)  # fmt: skip


def _as_it_is(value: Any) -> Any:
    return value


def _value(value: Any) -> Any:
    return None if value is None else value.value


def _part(part: Any) -> Document | None:
    """The fields that are set; by hand, for ``asdict`` copies everything deeply."""
    if part is None:
        return None
    return {name: value for name in part.__slots__ if (value := getattr(part, name)) is not None}


def _parts(parts: tuple[Any, ...]) -> list[Document | None]:
    return [_part(part) for part in parts]


def _recipients(recipients: tuple[Recipient, ...]) -> list[Document]:
    given = ((each, ("code", each.code), ("enhanced", each.enhanced), ("text", each.text)) for each in recipients)
    return [
        {
            "address": each.address,
            "state": each.state.value,
            **{name: value for name, value in rest if value is not None},
        }
        for each, *rest in given
    ]


_ENCODERS: Final[Mapping[str, Callable[[Any], Any]]] = dict.fromkeys(_PLAIN, _as_it_is) | {
    "status": _value, "policy": _value, "reason": _value, "recipients": _recipients, "transmission": _part,
    "raw": _part, "held_cancels": _parts, "interrupted_by": _parts,
}  # fmt: skip


def doc_id(message: Message) -> str:
    """The document's ``_id``."""
    return key(message.tenant, message.message_id)


def waits(message: Message) -> str | None:
    """The lane this message waits in, None where it does not."""
    waiting = message.status.value in WAITING and message.transmission is None
    return key(message.tenant, message.channel_id) if waiting else None


def to_document(message: Message) -> Document:
    """Every field but ``_id``."""
    found = {name: encode(getattr(message, name)) for name, encode in _ENCODERS.items()} | {"waits": waits(message)}
    return {name: value for name, value in found.items() if value is not None}


def difference(before: Message, after: Message) -> tuple[Document, list[str]]:
    """What a write sets and what it takes out; only the fields that differ."""
    changed = {
        name: encode(getattr(after, name))
        for name, encode in _ENCODERS.items()
        if getattr(before, name) is not getattr(after, name) and getattr(before, name) != getattr(after, name)
    }
    if waits(before) != waits(after):
        changed["waits"] = waits(after)
    gone = [name for name, value in changed.items() if value is None]
    return {name: value for name, value in changed.items() if value is not None}, gone


def to_message(document: Mapping[str, Any]) -> Message:
    """The message of a document; fields this code does not know are left out."""
    tenant, _, message_id = document["_id"].partition("/")
    plain = {name: document[name] for name in _PLAIN if name in document}
    found = document.get("transmission")
    return Message(
        tenant, message_id, Status(document["status"]), **plain,
        policy=Policy(document.get("policy", Policy.PARK)),
        recipients=tuple(_recipient(each) for each in document.get("recipients", ())),
        transmission=Transmission(found["by"], tuple(found["to"]), found["until"]) if found else None,
        held_cancels=tuple(Cancel(**each) for each in document.get("held_cancels", ())),
        interrupted_by=tuple(Cancel(**each) for each in document.get("interrupted_by", ())),
        reason=Reason(document["reason"]) if "reason" in document else None,
        raw=Raw(**document["raw"]) if "raw" in document else None,
        owed=tuple(owed_event(tenant, owed, SOURCE) for owed in document.get("owed_events", ())),
    )  # fmt: skip


def _recipient(given: Mapping[str, Any]) -> Recipient:
    return Recipient(
        given["address"], RecipientState(given["state"]), given.get("code"), given.get("enhanced"), given.get("text")
    )
