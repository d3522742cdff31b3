"""Lists of conversations, one conversation, and everything that is done with its messages."""

from __future__ import annotations

import hashlib
import uuid
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from services.gateway.console import cards, drafts
from services.gateway.console.beside import names, nav
from services.gateway.console.eyes import eyed, may_stop
from services.gateway.console.reading import Reading
from services.gateway.console.signing import signs
from services.gateway.domain.refusal import Code, Refused

LIST: Final = "GET /v1/conversations"
ONE: Final = "GET /v1/conversations/{conversation_id}"
SHOWN: Final = "50"
ABOUT: Final = ("clock", "attention")
"""Views whose lines are about one message, and name who wrote it."""
NOTHING: Final = drafts.Kept()


async def rows(reading: Reading) -> dict[str, Any]:
    """The list as the address names it; ``of`` tells one list from another, so that none is shown over another."""
    said = reading.request.query_params
    view = said.get("view") or "all"
    query = {"view": view} | {name: said[name] for name in ("channel_id", "q", "cursor") if said.get(name)}
    found = await reading.need(LIST, query={**query, "limit": SHOWN})
    words, moments = reading.words, reading.moments
    known = await names(reading) if view in ABOUT else {}
    made = [cards.row_of(one, words, moments, known) for one in found.items]
    shown = {"rows": made, "next": found.next, "view": view, "q": said.get("q") or ""}
    shown["of"] = hashlib.sha256(repr(sorted(query.items())).encode()).hexdigest()[:8]
    shown["may_stop"] = lambda last: may_stop(reading, last)
    return {**shown, "aside": await unreadable(reading) if view == "attention" and not query.get("q") else []}


async def unreadable(reading: Reading) -> list[cards.Aside]:
    """Mails that could not be read."""
    found = await reading.need("GET /v1/quarantined", query={"limit": SHOWN})
    channels = await reading.ask("GET /v1/channels", query={"limit": "200"}) if found.items else None
    known = {} if channels is None or isinstance(channels, Refused) else {one.channel_id: one for one in channels.items}
    email = reading.words("a.email")
    return [
        cards.Aside(
            one, known[one.channel_id].name if one.channel_id in known else email, cards.size(one.size, reading.words)
        )
        for one in found.items
    ]


async def show_list(reading: Reading) -> Response:
    """The list alone, or with nothing chosen beside it."""
    found = await rows(reading)
    if reading.partial:
        return reading.html("_rows.html", **found, chosen="")
    return reading.html("list.html", **found, **await nav(reading), chosen="", names=await names(reading))


async def talk(reading: Reading, conversation_id: str, cursor: str | None = None) -> dict[str, Any]:
    """One conversation with its newest messages, and who may be named in it."""
    found = await reading.need(ONE, conversation_id, query={"limit": SHOWN, **({"cursor": cursor} if cursor else {})})
    known, channel = await names(reading), await reading.ask("GET /v1/channels/{channel_id}", found.channel_id)
    smtp = None if isinstance(channel, Refused) else channel.status.smtp
    for one in found.messages.items:  # who wrote is known by their subject too: whoever interrupted is named so
        if one.direction == "out" and one.operator_id in known:
            known.setdefault(one.requested_by, known[one.operator_id])
    made = cards.cards_of(found.messages.items, reading.words, reading.moments, known, smtp)
    return {
        "conversation": found,
        "cards": made,
        "names": known,
        "older": found.messages.next,
        "size": partial(cards.size, words=reading.words),
    }


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
        **composer(reading, found["conversation"], await drafts.read(reading, conversation_id)),
        signature=await signs(reading, found["conversation"].channel_id, reading.who.operator),
        eyed=await _asked_eye(reading, found["cards"]),
    )  # fmt: skip


async def _asked_eye(reading: Reading, shown: list[cards.Card]) -> dict[str, Any] | None:
    """The dialog that the address asks for, open when the page is."""
    wanted = reading.request.query_params.get("eye")
    message = next((one.message for one in shown if one.outbound and one.message.message_id == wanted), None)
    return await eyed(reading, message) if message else None


def composer(reading: Reading, conversation: Any, kept: drafts.Kept = NOTHING) -> dict[str, Any]:
    """A composer with a key of its own, fresh or with the draft."""
    subject = conversation.subject or ""
    if subject and conversation.last is not None and not subject.lower().startswith("re:"):
        subject = f"Re: {subject}"
    words = {"subject": kept.one("subject", subject), "text": kept.one("text"), "draft": kept.at}
    return {"key": str(uuid.uuid4()), **words, "faults": {}, "refused": None}


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
        made = composer(reading, found["conversation"]) | typed | {"faults": faults, "refused": answer}
        return reading.html("_sent.html", 422, **{**found, **made}, signature=sign, cleared="")
    await drafts.forget(reading, conversation_id)
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


async def attended(reading: Reading) -> Response:
    """Somebody has seen to what did not arrive."""
    conversation_id = reading.request.path_params["conversation_id"]
    await reading.need("POST /v1/conversations/{conversation_id}/attended", conversation_id)
    return reading.away(f"/c/{conversation_id}")


async def hide_aside(reading: Reading) -> Response:
    """Hide a mail that could not be read."""
    await reading.need("POST /v1/quarantined/{message_id}/hide", reading.request.path_params["message_id"])
    return reading.away("/c?view=attention")


async def read(reading: Reading) -> Response:
    """What arrived up to the message seen last is read."""
    seen = reading.form.get("message_id")
    body = {"message_id": seen} if seen else {}
    await reading.ask(
        "POST /v1/conversations/{conversation_id}/read", reading.request.path_params["conversation_id"], body=body
    )
    return Response(status_code=204)
