"""Signatures of a channel: pick an operator, write, see it as it will be sent and why, two switches, conflicts."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from services.gateway.console.beside import names, nav
from services.gateway.console.reading import Missing, Reading
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Code, Refused

READ: Final = "GET /v1/channels/{channel_id}/signatures"
PREVIEW: Final = "POST /v1/channels/{channel_id}/signatures/preview"
DEFAULT: Final = "default"
BLOCKS: Final = ("<p", "<div", "<table", "<ul", "<ol", "<br")


def own_of(signed: Any, operator_id: str | None) -> Any:
    """The operator's own signature as it is kept, None where there is none."""
    return next((one for one in signed.operators if one.operator_id == operator_id), None)


def filled(signature: Any) -> bool:
    """Whether a signature says something; an empty one means "use the default"."""
    return signature is not None and signature.mode == "text" and bool(signature.html.strip() or signature.text.strip())


def resolved(signed: Any, operator_id: str | None) -> tuple[str, Any]:
    """Why, and which signature: the rule of DESIGN section 4, for what the page says about it."""
    own, default = own_of(signed, operator_id), signed.default
    if not signed.policy.operators_sign:
        return "operators_do_not_sign", None
    if own is not None and own.mode == "none":
        return "no_signature", None
    if filled(own):
        return "own", own
    if signed.policy.default_enabled and filled(default):
        return "default", default
    return "none", None


def broken(text: str) -> str:
    """What was typed line by line, with its lines kept; HTML with blocks of its own stays as it is."""
    text = text.replace("\r\n", "\n")
    return text if any(tag in text.lower() for tag in BLOCKS) else text.strip("\n").replace("\n", "<br>\n")


def lines(html: str) -> str:
    """The same, back in the editor."""
    return html if any(tag in html.lower() for tag in BLOCKS[:-1]) else html.replace("<br>\n", "\n")


async def signs(reading: Reading, channel_id: str, operator_id: str | None) -> dict[str, Any]:
    """How this operator's next message is signed: why, and the block as text."""
    signed = await reading.ask(READ, channel_id)
    if isinstance(signed, Refused):
        return {"why": "none", "text": ""}
    why, chosen = resolved(signed, operator_id)
    text = ""
    if chosen is not None:
        made = await _rendered(reading, channel_id, chosen.html, chosen.text, operator_id)
        text = "" if isinstance(made, Refused) else made.text
    return {"why": why, "text": text}


async def _rendered(reading: Reading, channel_id: str, html: str, text: str, operator_id: str | None) -> Any:
    body = {"template": {"mode": "text", "html": html, "text": text}, "operator_id": operator_id}
    return await reading.desk.ask(reading.who, PREVIEW, channel_id, body=body)


async def show(reading: Reading, status: int = 200, **changed: Any) -> Response:
    """The page; ``?operator=`` picks whose signature, ``default`` the generalised one."""
    channel_id = reading.request.path_params["channel_id"]
    channel = await reading.need("GET /v1/channels/{channel_id}", channel_id)
    signed = await reading.need(READ, channel_id)
    people = await reading.need("GET /v1/operators", query={"limit": "200"})
    picked = changed.get("picked") or reading.request.query_params.get("operator") or reading.who.operator or DEFAULT
    if picked != DEFAULT and all(one.operator_id != picked for one in people.items):
        picked = DEFAULT
    kept = signed.default if picked == DEFAULT else own_of(signed, picked)
    shown = {
        "channel": channel, "signed": signed, "people": people.items, "picked": picked, "kept": kept,
        "html": lines(kept.html or kept.text) if kept else "", "mode": _mode(kept),
        "version": kept.version if kept else 0,
        "why_of": lambda one: resolved(signed, one)[0], "conflict": None, "refused": None, "saved": False, **changed,
    }  # fmt: skip
    seen = await preview_of(reading, channel_id, signed, picked, shown["html"], shown["mode"])
    shown |= {**seen, "names": await names(reading)}
    return reading.html("signatures.html", status, **await nav(reading), **shown)


def _mode(kept: Any) -> str:
    if kept is not None and kept.mode == "none":
        return "none"
    return "own" if filled(kept) else "default"


async def preview_of(
    reading: Reading, channel_id: str, signed: Any, picked: str, html: str, mode: str
) -> dict[str, Any]:
    """The signature as it will be sent for whom is picked, and why."""
    operator = reading.who.operator if picked == DEFAULT else picked
    why, chosen = "own", html
    if not signed.policy.operators_sign:
        why, chosen = "operators_do_not_sign", ""
    elif picked == DEFAULT:
        why = "default"
    elif mode == "none":
        why, chosen = "no_signature", ""
    elif mode == "default" or not html.strip():
        on = signed.policy.default_enabled and filled(signed.default)
        why, chosen = ("default", signed.default.html or signed.default.text) if on else ("none", "")
    if not chosen:
        return {"why": why, "preview": "", "broken": None}
    made = await _rendered(reading, channel_id, broken(chosen), "", operator)
    if isinstance(made, Refused):
        return {"why": why, "preview": "", "broken": made}
    return {"why": why, "preview": made.html, "broken": None}


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
    return reading.away(f"/settings/channels/{channel_id}?operator={picked}&saved=1")


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
