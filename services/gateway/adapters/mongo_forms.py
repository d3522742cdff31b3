"""The stored form of messages and conversations: their fields by name, times as times, in UTC."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from services.gateway.domain.conversation import Conversation
from services.gateway.domain.message import Asked, Cancel, Message, Progress, Resolution
from services.kit.mongo import Document, key

SCHEMA: Final = 1
_MESSAGE: Final = TypeAdapter(Message)
_CONVERSATION: Final = TypeAdapter(Conversation)
_PROGRESS: Final = TypeAdapter(Progress)
_CANCEL: Final = TypeAdapter(Cancel)
_ASKED: Final = TypeAdapter(Asked)
_RESOLUTION: Final = TypeAdapter(Resolution)


def message_form(message: Message) -> Document:
    """What is stored of a new message; ``open`` marks it until it is terminal."""
    form = _MESSAGE.dump_python(message)
    form["progress"]["status"] = str(message.status)
    return {"_id": key(message.tenant, message.message_id), "schema": SCHEMA, "open": True, **form}


def message_of(document: Document) -> Message:
    """The message again."""
    return _MESSAGE.validate_python(document)


def conversation_form(conversation: Conversation) -> Document:
    """What is stored of a new conversation."""
    form: Document = _CONVERSATION.dump_python(conversation)
    return {"_id": key(conversation.tenant, conversation.conversation_id), "schema": SCHEMA, **form}


def conversation_of(document: Document) -> Conversation:
    """The conversation again."""
    return _CONVERSATION.validate_python(document)


def progress_form(progress: Progress) -> dict[str, Any]:
    """What the outbox said, under ``progress.``; what it said nothing about is left out."""
    form = _PROGRESS.dump_python(progress, exclude_none=True)
    form["status"] = str(progress.status)
    silent = [name for name in ("recipients", "interrupted_by") if not form[name]]
    return {f"progress.{name}": value for name, value in form.items() if name not in silent}


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
