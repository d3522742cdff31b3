"""The peer's remote control: one JSON object a line in, one a line out, on 127.0.0.1.

`{"do": "rules", "rules": […]}`, `{"do": "settings", "change": {…}}`, `{"do": "history", "since": 0, "limit": 2000}`,
`{"do": "content", "n": 7}` (base64), `{"do": "counts"}`, `{"do": "sever"}`, `{"do": "reset"}`. Every answer has `ok`;
a request that cannot be carried out is answered `{"ok": false, "error": …}`.
"""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from typing import Any

from tests.infra.smtp_peer.rules import Rule
from tests.infra.smtp_peer.server import Peer

LINE_LIMIT = 256 * 1024 * 1024


async def listen(peer: Peer, port: int) -> asyncio.Server:
    """Serve the control protocol for `peer`; port 0 takes a free one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, ConnectionError):
            while line := await reader.readline():
                writer.write(json.dumps(_answer(peer, line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port, limit=LINE_LIMIT)


def _answer(peer: Peer, line: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        return {"ok": True} | _carry_out(peer, asked)
    except (ValueError, TypeError, KeyError, IndexError) as wrong:
        return {"ok": False, "error": f"{type(wrong).__name__}: {wrong}"}


def _carry_out(peer: Peer, asked: dict[str, Any]) -> dict[str, Any]:
    match asked["do"]:
        case "rules":
            peer.script(*(Rule.from_json(one) for one in asked["rules"]))
        case "settings":
            peer.change(peer.settings.changed(asked["change"]))
        case "history":
            found = peer.history.since(int(asked.get("since", 0)), int(asked.get("limit", 2000)))
            return {"entries": [entry.as_json() for entry in found]}
        case "content":
            return {"content": base64.b64encode(peer.history.content(int(asked["n"]))).decode()}
        case "counts":
            return {"counts": dict(peer.history.counts), "entries": len(peer.history.entries)}
        case "sever":
            return {"severed": peer.sever()}
        case "reset":
            peer.history.clear()
            peer.script()
        case other:
            raise ValueError(f"unknown request {other!r}")
    return {}
