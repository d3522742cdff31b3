"""The MIME of one outbound message: rendered once, at intake, and sent as these bytes in every attempt.

The octets are seven-bit and every line has at most 998 of them, unless an address needs SMTPUTF8 (RFC 6532): then the
header holds UTF-8, and `bytes.isascii` tells. Recipients stand in To, all of them; there is no Bcc, ever.

    mixed { alternative { text, related { html, image, … } }, attachment, … }      each only where there are two or more
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.utils import format_datetime
from hashlib import sha256

from contracts.message import MessageComposed
from services.outbox.adapters.mime_bodies import Entity, File, Image, file_entity, image_entity, multipart, text_entity
from services.outbox.adapters.mime_headers import HeaderRefused, addresses, checked, message_ids, unstructured

__all__ = ["File", "HeaderRefused", "Image", "render"]


def render(
    message: MessageComposed, text: str | None, html: str | None, files: Sequence[File] = (),
    images: Sequence[Image] = (),
) -> bytes:  # fmt: skip
    """The whole message, CRLF line ends, not dot-stuffed (RFC 5322, 2045-2047, 2231, 2387).

    ``text`` and ``html`` are given apart because the event may hold references; ``images`` go with the HTML. The same
    message gives the same octets. Raises HeaderRefused where a header value has CR, LF or NUL.
    """
    entity = _content(message.message_id, text, html, files, images)
    return b"".join((_header(message), b"MIME-Version: 1.0\r\n", entity.fields, b"\r\n", entity.body))


def _header(message: MessageComposed) -> bytes:
    date = format_datetime(message.accepted_at.astimezone(UTC))
    return b"".join((
        f"Date: {date}\r\n".encode("ascii"),
        addresses("From", (message.sender,)),
        addresses("To", message.to),
        unstructured("Subject", message.subject),
        _own_id(message.internet_message_id),
        message_ids("In-Reply-To", (message.in_reply_to,) if message.in_reply_to else ()),
        message_ids("References", message.references),
    ))  # fmt: skip


def _own_id(value: str) -> bytes:
    field = message_ids("Message-ID", (checked("Message-ID", value),))
    if not field:
        raise HeaderRefused("Message-ID is none")
    return field


def _content(
    message_id: str, text: str | None, html: str | None, files: Sequence[File], images: Sequence[Image]
) -> Entity:
    boundary = f"=_{sha256(message_id.encode()).hexdigest()[:32]}"
    bodies = [text_entity("plain", text)] if text is not None else []
    if html is not None:
        shown = text_entity("html", html)
        if images:
            shown = multipart("related", f"{boundary}.r", [shown, *map(image_entity, images)], "text/html")
        bodies.append(shown)
    bodies = bodies or [text_entity("plain", "")]
    body = bodies[0] if len(bodies) == 1 else multipart("alternative", f"{boundary}.a", bodies)
    return multipart("mixed", f"{boundary}.m", [body, *map(file_entity, files)]) if files else body
