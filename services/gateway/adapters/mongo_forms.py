"""The stored form of messages and conversations: their fields by name, times as times, in UTC."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from services.gateway.domain.bounce import Bounce
from services.gateway.domain.conversation import Conversation, Last
from services.gateway.domain.inbound import Inbound, Quarantined
from services.gateway.domain.message import Asked, Cancel, Message, Progress, Resolution
from services.gateway.domain.words import words_of
from services.kit.mongo import Document, key

SCHEMA: Final = 1
_MESSAGE: Final = TypeAdapter(Message)
_CONVERSATION: Final = TypeAdapter(Conversation)
_PROGRESS: Final = TypeAdapter(Progress)
_CANCEL: Final = TypeAdapter(Cancel)
_ASKED: Final = TypeAdapter(Asked)
_RESOLUTION: Final = TypeAdapter(Resolution)
_BOUNCE: Final = TypeAdapter(Bounce)
_LAST: Final = TypeAdapter(Last)
_INBOUND: Final = TypeAdapter(Inbound)
_QUARANTINED: Final = TypeAdapter(Quarantined)


def message_form(message: Message) -> Document:
    """What is stored of a new message; ``open`` marks it until it is terminal."""
    form = _MESSAGE.dump_python(message)
    form["progress"]["status"] = str(message.status)
    return {"_id": key(message.tenant, message.message_id), "schema": SCHEMA, "open": True, **form}


def message_of(document: Document) -> Message:
    """The message again."""
    return _MESSAGE.validate_python(document)


def conversation_form(conversation: Conversation) -> Document:
    """What is stored of a new conversation; beside it what lists and searches read."""
    form: Document = _CONVERSATION.dump_python(conversation)
    people = (f"{one.name} {one.address}" for one in conversation.participants)
    beside = {
        "words": list(words_of((*people, conversation.subject or ""))), "joined": [], "unread_mails": [],
        "authors": [conversation.created_by] if conversation.created_by else [], "has_unread": False,
    }  # fmt: skip
    return {"_id": key(conversation.tenant, conversation.conversation_id), "schema": SCHEMA, **form, **beside}


def conversation_of(document: Document) -> Conversation:
    """The conversation again."""
    return _CONVERSATION.validate_python(document)


def progress_form(progress: Progress) -> dict[str, Any]:
    """What the outbox said; what it said nothing about is left out."""
    form = _PROGRESS.dump_python(progress, exclude_none=True)
    form["status"] = str(progress.status)
    silent = [name for name in ("recipients", "interrupted_by") if not form[name]]
    return {name: value for name, value in form.items() if name not in silent}


def cancel_form(cancel: Cancel) -> Document:
    """One cancel."""
    form: Document = _CANCEL.dump_python(cancel)
    return form


def asked_form(asked: Asked) -> Document:
    """One person's wish to interrupt."""
    form: Document = _ASKED.dump_python(asked)
    return form


def resolution_form(resolution: Resolution) -> Document:
    """What a person decided."""
    form: Document = _RESOLUTION.dump_python(resolution)
    return form


def bounce_form(bounce: Bounce) -> Document:
    """One delivery report."""
    form: Document = _BOUNCE.dump_python(bounce)
    return form


def last_form(last: Last) -> Document:
    """The newest message of a conversation."""
    form: Document = _LAST.dump_python(last)
    return {**form, "direction": str(last.direction)}


def inbound_form(mail: Inbound) -> Document:
    """What is stored of a mail; ``blobs``: everything it refers to."""
    form: Document = _INBOUND.dump_python(mail)
    refs = (mail.raw, mail.text_ref, mail.html_ref, *(one.blob for one in mail.attachments))
    blobs = [one.blob_id for one in refs if one is not None]
    return {
        "_id": key(mail.tenant, mail.message_id), "schema": SCHEMA, **form, "kind": str(mail.kind), "blobs": blobs
    }  # fmt: skip


def inbound_of(document: Document) -> Inbound:
    """The mail again."""
    return _INBOUND.validate_python(document)


def quarantined_form(mail: Quarantined) -> Document:
    """What is stored of a mail that could not be read."""
    form: Document = _QUARANTINED.dump_python(mail)
    blobs = [mail.raw.blob_id] if mail.raw else []
    return {"_id": key(mail.tenant, mail.message_id), "schema": SCHEMA, **form, "blobs": blobs}


def quarantined_of(document: Document) -> Quarantined:
    """The mail again."""
    return _QUARANTINED.validate_python(document)
