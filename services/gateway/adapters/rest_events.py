"""Server-sent events (WHATWG HTML, section 9.2) of a tenant's changes.

    id: …            event: change | reset | end
    data: {"kind": "message", "id": "…", "conversation_id": "…", "version": 7, "now": "…"}

Heartbeats are comments that bring a fresh id along. A reader whose socket takes nothing for ``STUCK_S`` is let go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.adapters.endpoint import Streamed
from services.gateway.domain.change import Beat, Change, Ended, Reset, Signal

MEDIA_TYPE: Final = "text/event-stream"
STUCK_S: Final = 20.0
RETRY_MS: Final = 1_000
_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class Events(Response):
    """One open stream."""

    media_type = MEDIA_TYPE
    charset = "utf-8"

    def __init__(self, signals: AsyncIterator[Signal], stuck_s: float = STUCK_S) -> None:
        super().__init__(None, headers=_HEADERS)
        del self.headers["content-length"]
        self._signals, self._stuck_s = signals, stuck_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tells until the signals end, the reader leaves or is stuck."""
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
            if isinstance(self._signals, AsyncGenerator):
                await self._signals.aclose()
        if not telling.cancelled() and (error := telling.exception()) is not None:
            raise error

    async def _tell(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await self._write(send, f"retry: {RETRY_MS}\n\n")
        with suppress(TimeoutError, ClientDisconnect):
            async for signal in self._signals:
                await self._write(send, spoken(signal))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send, text: str) -> None:
        async with asyncio.timeout(self._stuck_s):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def spoken(signal: Signal) -> str:
    """One signal as its lines."""
    match signal:
        case Change():
            said = {
                "kind": str(signal.kind), "id": signal.id, "conversation_id": signal.conversation_id,
                "version": signal.version,
            }  # fmt: skip
            return f"id: {signal.position}\nevent: change\ndata: {_json(said)}\n\n"
        case Reset():
            return f"id: {signal.position}\nevent: reset\ndata: {_json({})}\n\n"
        case Beat():
            return f": beat\nid: {signal.position}\n\n"
        case Ended():
            return f"event: end\ndata: {_json({'reason': signal.reason})}\n\n"


def _json(said: dict[str, Any]) -> str:
    """``now`` is the server's time: a page counts down by it and never by its own clock."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({**said, "now": now}, separators=(",", ":"))


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


EVENTS: Final = Streamed(MEDIA_TYPE, "The tenant's changes, until the token ends.", Events)
