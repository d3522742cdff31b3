"""Signatures of a channel: pick an operator, write, see it as it will be sent and why, two switches, conflicts."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from services.gateway.adapters.problems import STATUS
from services.gateway.console import drafts
from services.gateway.console.beside import names, nav
from services.gateway.console.reading import HEADERS, Missing, Reading
from services.gateway.console.signing import DEFAULT, READ, broken, filled, lines, own_of, preview_of, resolved
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Code, Refused


async def show(reading: Reading, status: int = 200, **changed: Any) -> Response:
    """The page; ``?operator=`` picks whose signature, ``default`` the generalised one."""
    channel_id = reading.request.path_params["channel_id"]
    channel = await reading.need("GET /v1/channels/{channel_id}", channel_id)
    signed = await reading.need(READ, channel_id)
    people = await reading.need("GET /v1/operators", query={"limit": "200"})
    picked = changed.get("picked") or reading.request.query_params.get("operator") or reading.who.operator or DEFAULT
    if picked != DEFAULT and all(one.operator_id != picked for one in people.items):
        picked = DEFAULT
    name = draft_name(channel_id, picked)
    draft = drafts.Kept() if "html" in changed else await drafts.read(reading, name)
    shown = {
        "channel": channel, "signed": signed, "people": people.items, "picked": picked, "draft_name": name,
        **_written(signed.default if picked == DEFAULT else own_of(signed, picked), draft), "typed": "html" in changed,
        "why_of": lambda one: resolved(signed, one)[0], "conflict": None, "refused": None, **changed,
    }  # fmt: skip
    seen = await preview_of(reading, channel_id, signed, picked, shown["html"], shown["mode"])
    shown |= {**seen, "names": await names(reading)}
    return reading.html("signatures.html", status, **await nav(reading), **shown)


def _written(kept: Any, draft: drafts.Kept) -> dict[str, Any]:
    """What stands in the editor: the draft, or the signature as it is kept.

    With the draft comes the version it began from, so that a save over somebody else's tells of the conflict.
    """
    html = draft.one("html", lines(kept.html or kept.text) if kept else "")
    version = draft.one("version", str(kept.version if kept else 0))
    return {"html": html, "mode": draft.one("mode", _mode(kept)), "version": version, "draft": draft.at}


def draft_name(channel_id: str, picked: str) -> str:
    """Under which name a signature that is being written is kept."""
    return f"sig-{channel_id}-{picked}"


def _mode(kept: Any) -> str:
    if kept is not None and kept.mode == "none":
        return "none"
    return "own" if filled(kept) else "default"


async def preview(reading: Reading) -> Response:
    """The preview alone, while somebody types."""
    channel_id = reading.request.path_params["channel_id"]
    signed = await reading.need(READ, channel_id)
    said = reading.form
    picked = said.get("picked", DEFAULT)
    seen = await preview_of(reading, channel_id, signed, picked, said.get("html", ""), said.get("mode", "own"))
    return reading.html("_preview.html", **seen, names=await names(reading), picked=picked)


async def save(reading: Reading) -> Response:
    """Saved; or, where another person saved meanwhile, both versions."""
    channel_id, said = reading.request.path_params["channel_id"], reading.form
    picked, mode, html = said.get("picked", DEFAULT), said.get("mode", "own"), said.get("html", "")
    template = {"mode": "none" if mode == "none" else "text", "html": broken(html) if mode == "own" else "", "text": ""}
    line = "PUT /v1/channels/{channel_id}/signatures/"
    ids = [channel_id] if picked == DEFAULT else [channel_id, picked]
    line += "default" if picked == DEFAULT else "operators/{operator_id}"
    answer = await reading.ask(line, *ids, body=template, version=said.get("version"))
    if isinstance(answer, Refused):
        if answer.code is Code.NOT_FOUND:
            raise Missing(answer)
        conflict = await _theirs(reading, channel_id, picked) if answer.code is Code.VERSION_MISMATCH else None
        refused = None if conflict else answer
        version = conflict.version if conflict else said.get("version")
        typed = {"picked": picked, "html": html, "mode": mode, "version": version}
        return await show(reading, 422, **typed, conflict=conflict, refused=refused)
    if isinstance(answer, Pending):
        return await show(reading, 202, picked=picked, html=html, mode=mode)
    name = draft_name(channel_id, picked)
    await drafts.forget(reading, name)
    return reading.away(f"/settings/channels/{channel_id}?operator={picked}&saved=1&cleared={name}")


async def _theirs(reading: Reading, channel_id: str, picked: str) -> Any:
    signed = await reading.need(READ, channel_id)
    return signed.default if picked == DEFAULT else own_of(signed, picked)


async def switch(reading: Reading) -> Response:
    """Turns the two switches; they save at once."""
    channel_id, said = reading.request.path_params["channel_id"], reading.form
    body = {"operators_sign": "operators_sign" in said, "default_enabled": "default_enabled" in said}
    answer = await reading.ask(
        "PUT /v1/channels/{channel_id}/signatures/policy", channel_id, body=body, version=said.get("version")
    )
    if isinstance(answer, Refused):
        return await show(reading, 422, refused=answer, picked=said.get("picked"))
    return reading.away(f"/settings/channels/{channel_id}?operator={said.get('picked', DEFAULT)}")


async def picture(reading: Reading) -> Response:
    """Keeps a picture for a signature; says its blob's id, or in the reader's words what is wrong."""
    await reading.need("GET /v1/channels/{channel_id}", reading.request.path_params["channel_id"])
    about = {"file_name": reading.request.query_params.get("file_name") or "image", "purpose": "signature_image"}
    octets = (reading.request.headers.get("content-type", ""), reading.request.stream())
    answer = await reading.desk.ask(reading.who, "POST /v1/uploads", query=about, sent=octets)
    if isinstance(answer, Refused):
        word = "g.pic.large" if answer.code is Code.TOO_LARGE else "g.pic.none"
        return Response(reading.words(word), STATUS[answer.code], HEADERS, "text/plain")
    return Response(answer.blob_id, 201, HEADERS, "text/plain")
