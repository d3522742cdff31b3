"""How a message is signed and why, as the console shows it: the rule, the editor's text, the preview."""

from __future__ import annotations

from typing import Any, Final

from services.gateway.console.reading import Reading
from services.gateway.domain.refusal import Refused

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
    html = made.html
    for one in made.images:  # the mail carries them; the frame fetches them
        html = html.replace(f'src="cid:{one.content_id}"', f'src="/files/{one.blob_id}"')
    return {"why": why, "preview": html, "broken": None}
