"""The page kept live: one stream a page, whose messages are pieces of it, rendered again from what now stands.

    /v1/events' signals -> gathered for 50 ms -> the pieces this page shows that they touch -> one SSE message

A stream begins with all pieces, so that nothing between the page and its stream is missed, nor after a reconnect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Final

from starlette.responses import Response, StreamingResponse

from services.gateway.console.pieces import PIECES, Page, text_of, touched
from services.gateway.console.reading import HEADERS, Missing, Reading
from services.gateway.domain.change import Beat, Ended, Signal
from services.gateway.domain.refusal import Refused

GATHER_S: Final = 0.05
WAITING: Final = 1_000


async def live(reading: Reading) -> Response:
    """The stream."""
    signals = await reading.ask("GET /v1/events", after=reading.request.headers.get("last-event-id"))
    if isinstance(signals, Refused):
        raise Missing(signals)
    headers = {**HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(told(reading, signals), headers=headers, media_type="text/event-stream")


async def told(reading: Reading, signals: AsyncIterator[Signal]) -> AsyncIterator[str]:
    """The stream's text, until the signals end."""
    shown, page = frozenset(("counts", *reading.request.query_params.get("show", "").split(","))), Page()
    queue: asyncio.Queue[Signal | None] = asyncio.Queue(WAITING)
    pump = asyncio.create_task(_pump(signals, queue))
    try:
        yield "retry: 1000\n\n" + await spoken(reading, page, shown.intersection(PIECES), (), None)
        while True:
            batch = await _batch(queue)
            known = [one for one in batch if one is not None]
            yield await spoken(reading, page, touched(reading, known, shown), known, _position(known))
            if None in batch or any(isinstance(one, Ended) for one in batch):
                return
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def _pump(signals: AsyncIterator[Signal], waiting: asyncio.Queue[Signal | None]) -> None:
    try:
        async for signal in signals:
            await waiting.put(signal)
    finally:
        with suppress(AttributeError):
            await signals.aclose()  # type: ignore[attr-defined]  # generators alone have it
        with suppress(asyncio.QueueFull):
            waiting.put_nowait(None)


async def _batch(waiting: asyncio.Queue[Signal | None]) -> list[Signal | None]:
    batch = [await waiting.get()]
    if not isinstance(batch[0], Beat):
        await asyncio.sleep(GATHER_S)
    while not waiting.empty():
        batch.append(waiting.get_nowait())
    return batch


def _position(batch: Iterable[Signal]) -> str | None:
    found = [one.position for one in batch if not isinstance(one, Ended)]
    return found[-1] if found else None


async def spoken(
    reading: Reading, page: Page, pieces: frozenset[str], batch: Sequence[Signal], position: str | None
) -> str:
    """The pieces as one message, then the server's time, or that it ends."""
    text = ""
    if pieces:
        with suppress(Missing):
            text = await text_of(reading, page, pieces, batch)
    lines = "".join(f"data: {line}\n" for line in text.strip().splitlines())  # a message's empty lines are its own
    head = f"id: {position}\n" if position else ""
    now = reading.moments.iso(reading.moments.now)
    ended = next((one.reason for one in batch if isinstance(one, Ended)), None)
    last = f"event: ended\ndata: {ended}\n\n" if ended else f"event: beat\n{head}data: {now}\n\n"
    return (f"{head}{lines}\n" if lines else "") + last
