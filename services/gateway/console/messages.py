"""What can be done with one message: look (the eye), interrupt, send again, mark as sent, hide, read its HTML."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from services.gateway.adapters.rest_files import disposition
from services.gateway.console import frames
from services.gateway.console.conversations import talk
from services.gateway.console.eyes import eyed
from services.gateway.console.reading import HEADERS, Missing, Reading
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused

MESSAGE: Final = "GET /v1/messages/{message_id}"


async def message_of(reading: Reading) -> Any:
    """The message of this address, in its conversation; raises Missing."""
    ids = reading.request.path_params
    found = await reading.need(MESSAGE, ids["message_id"])
    found = getattr(found, "root", found)
    if found.conversation_id != ids["conversation_id"]:
        raise Missing(NOT_FOUND)
    return found


async def eye(reading: Reading) -> Response:
    """The dialog, or without a script a page of its own."""
    message = await message_of(reading)
    shown = await eyed(reading, message)
    return reading.html("_eye.html" if reading.partial else "eye.html", **shown)


async def interrupt(reading: Reading) -> Response:
    """200: stopped; 409: too late, said in the dialog; 202: the answer comes by itself."""
    ids = reading.request.path_params
    await message_of(reading)
    answer = await reading.ask("POST /v1/messages/{message_id}/interrupt", ids["message_id"])
    if isinstance(answer, Refused) and answer.code is not Code.TOO_LATE:
        raise Missing(answer)
    message = await message_of(reading)
    if not reading.partial:
        return reading.away(f"/c/{ids['conversation_id']}")
    late = answer if isinstance(answer, Refused) else None
    held = late is None and answer.outcome is None
    shown = {**await talk(reading, ids["conversation_id"]), **await eyed(reading, message, late, held)}
    return reading.html("_interrupted.html", stopped=late is None and not held, **shown)


async def again(reading: Reading) -> Response:
    """Send a parked message again: a new one with ``resend_of``."""
    return await _done(reading, "POST /v1/messages/{message_id}/resend", key=reading.form.get("key", ""))


async def mark(reading: Reading) -> Response:
    """Mark a parked message as sent."""
    return await _done(reading, "POST /v1/messages/{message_id}/mark-sent")


async def hide(reading: Reading) -> Response:
    """Hide a message; this recalls nothing."""
    return await _done(reading, "POST /v1/messages/{message_id}/hide")


async def _done(reading: Reading, line: str, key: str | None = None) -> Response:
    ids = reading.request.path_params
    await message_of(reading)
    answer = await reading.ask(line, ids["message_id"], key=key)
    if isinstance(answer, Refused | Pending):
        raise Missing(answer)
    if not reading.partial:
        return reading.away(f"/c/{ids['conversation_id']}")
    return reading.html("_msgs_only.html", **await talk(reading, ids["conversation_id"]))


async def body(reading: Reading) -> Response:
    """The mail's HTML, or its text, for a frame without scripts."""
    message, remote = await message_of(reading), reading.request.query_params.get("images") == "1"
    page = frames.document(message.html, message.text, getattr(message, "attachments", ()), remote=remote)
    headers = {**HEADERS, "Content-Security-Policy": frames.policy(remote=remote), "Referrer-Policy": "no-referrer"}
    return Response(page, 200, headers, "text/html")


async def file(reading: Reading) -> Response:
    """An attachment, as a download; a picture of a mail may be shown by its frame."""
    answer = await reading.ask("GET /v1/blobs/{blob_id}", reading.request.path_params["blob_id"])
    if isinstance(answer, Refused):
        raise Missing(answer)
    found, octets = answer
    headers = {
        **HEADERS, "Content-Disposition": disposition(found.name), "Content-Length": str(found.size),
        "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=3600",
    }  # fmt: skip
    chunks: AsyncIterator[bytes] = octets
    return StreamingResponse(chunks, headers=headers, media_type=found.media_type)
