"""The two SASL mechanisms a peer understands: PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login)."""

from __future__ import annotations

import base64

from tests.infra.smtp_peer.wire import Wire


async def credentials(wire: Wire, mechanism: str, initial: str) -> tuple[str, str]:
    """Ask for what is missing; returns (user, password), raises ValueError for what cannot be decoded."""
    if mechanism == "LOGIN":
        user = _decoded(initial) if initial else await _ask(wire, "VXNlcm5hbWU6")
        return user, await _ask(wire, "UGFzc3dvcmQ6")
    _, user, password = (_decoded(initial) if initial else await _ask(wire, "")).split("\0")
    return user, password


async def _ask(wire: Wire, prompt: str) -> str:
    await wire.say(f"334 {prompt}")
    return _decoded((await wire.line()).decode("ascii", "replace"))


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode("utf-8")
