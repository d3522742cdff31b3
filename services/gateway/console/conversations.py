"""Lists of conversations, one conversation, and everything that is done with its messages."""

from __future__ import annotations

import uuid
from typing import Any, Final

from starlette.responses import Response

from services.gateway.console import cards
from services.gateway.console.beside import LIST, names, nav
from services.gateway.console.reading import Reading
from services.gateway.console.signatures import signs
from services.gateway.domain.refusal import Code, Refused

ONE: Final = "GET /v1/conversations/{conversation_id}"
SHOWN: Final = "50"


async def rows(reading: Reading) -> dict[str, Any]:
    """The list as the address names it."""
    said = reading.request.query_params
    query = {name: said[name] for name in ("view", "channel_id", "q", "cursor") if said.get(name)}
    found = await reading.need(LIST, query={**query, "limit": SHOWN})
    words, moments = reading.words, reading.moments
    made = [cards.row_of(one, words, moments) for one in found.items]
    return {"rows": made, "next": found.next, "view": said.get("view") or "all", "q": said.get("q") or ""}


async def show_list(reading: Reading) -> Response:
    """The list alone, or with nothing chosen beside it."""
    found = await rows(reading)
    if reading.partial:
        return reading.html("_rows.html", **found, chosen="")
    return reading.html("list.html", **found, **await nav(reading), chosen="", names=await names(reading))


async def talk(reading: Reading, conversation_id: str, cursor: str | None = None) -> dict[str, Any]:
    """One conversation with its newest messages, and who may be named in it."""
    found = await reading.need(ONE, conversation_id, query={"limit": SHOWN, **({"cursor": cursor} if cursor else {})})
    known = await names(reading)
    made = cards.cards_of(found.messages.items, reading.words, reading.moments, known)
    return {"conversation": found, "cards": made, "names": known, "older": found.messages.next, "size": cards.size}


async def show(reading: Reading) -> Response:
    """List, conversation and composer."""
    conversation_id = reading.request.path_params["conversation_id"]
    cursor = reading.request.query_params.get("older")
    found = await talk(reading, conversation_id, cursor)
    if cursor:
        return reading.html("_older.html", **found)
    listed = await rows(reading)
    return reading.html(
        "conversation.html", **{**listed, **found}, **await nav(reading), chosen=conversation_id,
        **composer(reading, found["conversation"]),
        signature=await signs(reading, found["conversation"].channel_id, reading.who.operator),
    )  # fmt: skip


def composer(reading: Reading, conversation: Any, **typed: str) -> dict[str, Any]:
    """A fresh composer with a key of its own, or what was typed with what is wrong."""
    subject = conversation.subject or ""
    if subject and conversation.last is not None and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    return {"key": str(uuid.uuid4()), "subject": subject, "text": "", "faults": {}, "refused": None, **typed}


async def send(reading: Reading) -> Response:
    """Send; on a refusal what was typed comes back with what is wrong."""
    conversation_id = reading.request.path_params["conversation_id"]
    typed = {name: reading.form.get(name, "") for name in ("subject", "text", "key")}
    body = {
        "conversation_id": conversation_id,
        "subject": typed["subject"],
        "text": typed["text"].replace("\r\n", "\n"),
    }
    answer = await reading.ask("POST /v1/messages", body=body, key=typed["key"])
    found = await talk(reading, conversation_id)
    if isinstance(answer, Refused):
        if answer.code is Code.NOT_FOUND:
            return reading.html("missing.html", 404)
        faults = {one.field: reading.words.one_of(f"fault.{one.field}", one.code) for one in answer.faults}
        sign = await signs(reading, found["conversation"].channel_id, reading.who.operator)
        made = composer(reading, found["conversation"], **typed) | {"faults": faults, "refused": answer}
        return reading.html("_sent.html", 422, **{**found, **made}, signature=sign, cleared="")
    if not reading.partial:
        return reading.away(f"/c/{conversation_id}")
    sign = await signs(reading, found["conversation"].channel_id, reading.who.operator)
    return reading.html(
        "_sent.html", **{**found, **composer(reading, found["conversation"])}, signature=sign, cleared="yes"
    )


async def hide(reading: Reading) -> Response:
    """Hide the conversation; this recalls nothing."""
    answer = await reading.ask(
        "POST /v1/conversations/{conversation_id}/hide", reading.request.path_params["conversation_id"]
    )
    return reading.html("missing.html", 404) if isinstance(answer, Refused) else reading.away("/c")


async def read(reading: Reading) -> Response:
    """What arrived up to the message seen last is read."""
    seen = reading.form.get("message_id")
    body = {"message_id": seen} if seen else {}
    await reading.ask(
        "POST /v1/conversations/{conversation_id}/read", reading.request.path_params["conversation_id"], body=body
    )
    return Response(status_code=204)
