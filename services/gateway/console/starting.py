"""Start a conversation (*Antigo ativo*): account, clients, and nothing more, or subject and message."""

from __future__ import annotations

import uuid
from typing import Any, Final

from starlette.responses import Response

from contracts import addresses
from services.gateway.console import drafts
from services.gateway.console.beside import nav
from services.gateway.console.reading import Reading
from services.gateway.console.signing import signs
from services.gateway.domain.refusal import Code, Refused

DRAFT: Final = "start"


async def form(reading: Reading, status: int = 200, **typed: Any) -> Response:
    """The form, empty or as it was typed with what is wrong."""
    beside = await nav(reading)
    channels = beside["channels"]
    kept = drafts.Kept() if typed else await drafts.read(reading, DRAFT)
    typed = typed or _typed(kept)
    wanted = reading.request.query_params.get("channel") or typed.get("channel_id") or ""
    channel = next((one for one in channels if one.channel_id == wanted), None) or next(iter(channels), None)
    empty: dict[str, Any] = {
        "clients": [], "wrong": [], "do": "write", "subject": "", "text": "", "faults": {}, "refused": None,
    }  # fmt: skip
    shown = {**empty, "key": str(uuid.uuid4()), **typed, "channel": channel, "draft": kept.at}
    sign = await signs(reading, channel.channel_id, reading.who.operator) if channel else None
    return reading.html("start.html", status, **beside, **shown, signature=sign)


async def start(reading: Reading) -> Response:
    """Created, with or without a first message; else the form again, nothing lost."""
    said, words = reading.form, reading.words
    clients = split(reading.lists.get("client", []))
    wrong = [one for one in clients if not isinstance(addresses.parse(one), str)]
    typed = {name: said.get(name, "") for name in ("channel_id", "do", "subject", "text", "key")}
    faults: dict[str, str] = {}
    if not clients:
        faults["clients"] = words("s.noclient")
    elif wrong:
        faults["clients"] = words("s.wrong", a=wrong[0])
    first = None
    if typed["do"] == "write":
        first = {"subject": typed["subject"], "text": typed["text"].replace("\r\n", "\n")}
        faults |= {} if typed["subject"].strip() else {"subject": words("w.nosubject")}
    if faults:
        return await form(reading, 422, **typed, clients=clients, wrong=wrong, faults=faults)
    body = {"channel_id": typed["channel_id"], "clients": [{"address": one} for one in clients], "message": first}
    answer = await reading.ask("POST /v1/conversations", body=body, key=typed["key"])
    if isinstance(answer, Refused):
        faults = {one.field.removeprefix("message."): words.one_of("fault", one.code) for one in answer.faults}
        refused = None if faults and answer.code is Code.INVALID else answer
        return await form(reading, 422, **typed, clients=clients, wrong=[], faults=faults, refused=refused)
    await drafts.forget(reading, DRAFT)
    return reading.away(f"/c/{answer.conversation_id}?cleared={DRAFT}")


def _typed(kept: drafts.Kept) -> dict[str, Any]:
    """What the draft says of the form."""
    if not kept.at:
        return {}
    clients = list(kept.fields.get("client", ()))
    said = {"do": kept.one("do", "write"), **{name: kept.one(name) for name in ("channel_id", "subject", "text")}}
    return {**said, "clients": clients, "wrong": [one for one in clients if not isinstance(addresses.parse(one), str)]}


def split(given: list[str]) -> list[str]:
    """A pasted list as addresses, each once."""
    found: dict[str, None] = {}
    for text in given:
        for part in text.replace(";", ",").replace("\n", ",").replace(" ", ",").split(","):
            address = part.strip().removeprefix("<").removesuffix(">")
            if address:
                found.setdefault(address)
    return list(found)
