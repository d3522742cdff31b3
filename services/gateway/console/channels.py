"""Accounts & Channels: the list, a channel's settings, its connection settling, reconnect, remove, write first."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from services.gateway.console.beside import nav
from services.gateway.console.providers import KNOWN
from services.gateway.console.reading import Missing, Reading
from services.gateway.console.settling import diagnosis, heading, way_of
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Code, Refused

ONE: Final = "GET /v1/channels/{channel_id}"
CHANGE: Final = "PUT /v1/channels/{channel_id}"
KEPT: Final = (
    "name", "address", "sender_name", "write_first", "undo_seconds", "per_minute", "connections", "policy", "sent_copy",
    "import_days",
)  # fmt: skip
SERVER: Final = ("host", "port", "security", "user_name", "auth")


def ways(reading: Reading, channel: Any) -> tuple[Any, Any]:
    """Both directions in words."""
    words, moments = reading.words, reading.moments
    return way_of(channel.status.imap, "imap", words, moments), way_of(channel.status.smtp, "smtp", words, moments)


async def show(reading: Reading) -> Response:
    """All accounts; one unfolds to its channels."""
    beside = await nav(reading)
    found = [(one, *ways(reading, one)) for one in beside["channels"]]
    tenant = await reading.ask("GET /v1/tenants/{tenant_id}", reading.who.tenant)
    bad = sum(1 for _, *both in found if any(way.look == "bad" for way in both))
    shown: dict[str, Any] = {
        "found": found,
        "plan": None if isinstance(tenant, Refused) else tenant,
        "bad": bad,
        "refused": None,
    }
    return reading.html("accounts.html", **beside, **shown)


async def settings(reading: Reading, status: int = 200, **changed: Any) -> Response:
    """The form, empty for a new channel, with the connection beside it."""
    channel_id = reading.request.path_params.get("channel_id")
    channel = await reading.need(ONE, channel_id) if channel_id else None
    shown = {
        "channel": channel, "typed": typed_of(channel), "faults": {}, "refused": None, "theirs": {},
        "version": channel.version if channel else "",
        "providers": KNOWN, "ways": ways(reading, channel) if channel else None, **changed,
    }  # fmt: skip
    if channel is not None:
        shown |= settled(reading, channel)
    return reading.html("settings.html", status, **await nav(reading), **shown)


def settled(reading: Reading, channel: Any) -> dict[str, Any]:
    """The connection panel."""
    both = ways(reading, channel)
    return {
        "channel": channel, "ways": both, "heading": heading(both, reading.words),
        "diagnosis": diagnosis(channel, reading.moments.iso(reading.moments.now)),
    }  # fmt: skip


async def settle(reading: Reading) -> Response:
    """The connection panel alone, as it now is."""
    channel = await reading.need(ONE, reading.request.path_params["channel_id"])
    return reading.html("_settle.html", **settled(reading, channel))


def typed_of(channel: Any) -> dict[str, Any]:
    """The form's fields as they are kept."""
    if channel is None:
        return {
            "name": "", "address": "", "imap_host": "", "imap_port": 993, "imap_security": "tls", "smtp_host": "",
            "smtp_port": 465, "smtp_security": "tls", "user": "", "undo_seconds": 10, "sender_name": "",
        }  # fmt: skip
    user = channel.imap.user_name
    found = {name: getattr(channel, name) for name in ("name", "address", "undo_seconds", "sender_name")}
    for way in ("imap", "smtp"):
        found |= {f"{way}_{name}": getattr(getattr(channel, way), name) for name in ("host", "port", "security")}
    return found | {"user": "" if user == channel.address else user}


def body_of(said: dict[str, str], channel: Any) -> dict[str, Any]:
    """What the form asks for; the rest stays as it is kept."""
    kept = {name: getattr(channel, name) for name in KEPT} if channel else {}
    body = kept | {name: said.get(name, "").strip() for name in ("name", "address", "sender_name")}
    body["undo_seconds"] = _number(said.get("undo_seconds", "10"))
    for way in ("imap", "smtp"):
        body[way] = {
            "host": said.get(f"{way}_host", "").strip(), "port": _number(said.get(f"{way}_port", "")),
            "security": said.get(f"{way}_security", "tls"),
            "user_name": said.get("user", "").strip() or body["address"],
            **({"secret": said["password"]} if said.get("password") else {}),
        }  # fmt: skip
    return body


def _number(text: str) -> int:
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 9 else -1


async def save(reading: Reading) -> Response:
    """Saves, and shows the connection settling; on a refusal what was typed stays, the password aside."""
    channel_id = reading.request.path_params.get("channel_id")
    channel = await reading.need(ONE, channel_id) if channel_id else None
    said = reading.form
    body = body_of(said, channel)
    if channel_id:
        answer = await reading.ask(CHANGE, channel_id, body=body, version=said.get("version"))
    else:
        answer = await reading.ask("POST /v1/channels", body=body)
    if isinstance(answer, Refused):
        if answer.code is Code.NOT_FOUND:
            raise Missing(answer)
        return await _not_saved(reading, answer, said)
    if isinstance(answer, Pending):
        return reading.away("/settings/channels")
    return reading.away(f"/settings/channels/{answer.channel_id}/settings?settling=1")


async def _not_saved(reading: Reading, refused: Refused, said: dict[str, str]) -> Response:
    """The form as it was typed, with what is wrong; where somebody saved meanwhile, what is saved now beside it."""
    typed = typed_of(None) | {name: value for name, value in said.items() if name != "password"}
    faults = {one.field.replace(".", "_"): reading.words.one_of("fault", one.code) for one in refused.faults}
    changed: dict[str, Any] = {"version": said.get("version", "")}
    if refused.code is Code.VERSION_MISMATCH:
        now = await reading.need(ONE, reading.request.path_params["channel_id"])
        kept = typed_of(now)
        changed = {
            "version": now.version,
            "theirs": {name: kept[name] for name in kept if str(kept[name]) != typed[name]},
        }
    return await settings(reading, 422, typed=typed, faults=faults, refused=refused, **changed)


def whole(channel: Any) -> dict[str, Any]:
    """A channel's settings as a body that changes nothing."""
    return {name: getattr(channel, name) for name in KEPT} | {
        way: {name: getattr(getattr(channel, way), name) for name in SERVER} for way in ("imap", "smtp")
    }


async def write_first(reading: Reading) -> Response:
    """The switch: saves at once; refused, it goes back with a sentence."""
    channel = await reading.need(ONE, reading.request.path_params["channel_id"])
    body = whole(channel) | {"write_first": "on" in reading.form}
    answer = await reading.ask(CHANGE, channel.channel_id, body=body, version=str(channel.version))
    refused = answer if isinstance(answer, Refused) else None
    now = channel if isinstance(answer, Refused | Pending) else answer
    if not reading.partial:
        return reading.away("/settings/channels")
    return reading.html("_write_first.html", channel=now, refused=refused)


async def reconnect(reading: Reading) -> Response:
    """Connect again now."""
    channel_id = reading.request.path_params["channel_id"]
    answer = await reading.ask("POST /v1/channels/{channel_id}/reconnect", channel_id)
    if isinstance(answer, Refused):
        raise Missing(answer)
    return reading.away(f"/settings/channels/{channel_id}/settings?settling=1")


async def remove(reading: Reading) -> Response:
    """Removes the channel whose name was typed."""
    channel = await reading.need(ONE, reading.request.path_params["channel_id"])
    if reading.form.get("name", "").strip() != channel.name:
        return await settings(reading, 422, faults={"remove": reading.words("rm.wrong")})
    answer = await reading.ask("DELETE /v1/channels/{channel_id}", channel.channel_id, version=str(channel.version))
    if isinstance(answer, Refused):
        return await settings(reading, 422, refused=answer)
    return reading.away("/settings/channels")
