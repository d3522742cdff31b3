"""The page kept live: one stream a page, whose messages are pieces of it, rendered again from what now stands.

    /v1/events' signals -> gathered for 50 ms -> the pieces this page shows that they touch -> one SSE message

A stream begins with all pieces, so that nothing between the page and its stream is missed, nor after a reconnect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, Final

from starlette.responses import Response, StreamingResponse

from services.gateway.console.beside import nav, waiting
from services.gateway.console.channels import settled, ways
from services.gateway.console.conversations import rows, talk
from services.gateway.console.eyes import eyed
from services.gateway.console.reading import HEADERS, Missing, Reading
from services.gateway.domain.change import Beat, Change, Ended, Reset, Signal, Thing
from services.gateway.domain.refusal import Refused

GATHER_S: Final = 0.05
WAITING: Final = 1_000
PIECES: Final = ("counts", "msgs", "convs", "accounts", "settle")
TOUCHES: Final = {
    Thing.MESSAGE: ("msgs", "convs", "counts"), Thing.CONVERSATION: ("convs", "counts"),
    Thing.QUARANTINED: ("convs", "counts"), Thing.CHANNEL: ("accounts", "settle"),
    Thing.CHANNEL_STATUS: ("accounts", "settle"),
}  # fmt: skip


async def live(reading: Reading) -> Response:
    """The stream."""
    signals = await reading.ask("GET /v1/events", after=reading.request.headers.get("last-event-id"))
    if isinstance(signals, Refused):
        raise Missing(signals)
    headers = {**HEADERS, "X-Accel-Buffering": "no"}
    return StreamingResponse(told(reading, signals), headers=headers, media_type="text/event-stream")


async def told(reading: Reading, signals: AsyncIterator[Signal]) -> AsyncIterator[str]:
    """The stream's text, until the signals end."""
    shown = frozenset(("counts", *reading.request.query_params.get("show", "").split(",")))
    queue: asyncio.Queue[Signal | None] = asyncio.Queue(WAITING)
    pump = asyncio.create_task(_pump(signals, queue))
    try:
        yield "retry: 1000\n\n" + await spoken(reading, shown.intersection(PIECES), (), None)
        while True:
            batch = await _batch(queue)
            known = [one for one in batch if one is not None]
            yield await spoken(reading, touched(reading, known, shown), known, _position(known))
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


def touched(reading: Reading, batch: Iterable[Signal], shown: frozenset[str]) -> frozenset[str]:
    """Which pieces of the page the signals touch."""
    open_one, found = reading.request.query_params.get("c"), set[str]()
    for one in batch:
        if isinstance(one, Reset):
            return shown.intersection(PIECES)
        if isinstance(one, Change):
            pieces = TOUCHES.get(one.kind, ())
            found.update(piece for piece in pieces if piece != "msgs" or one.conversation_id == open_one)
    return shown.intersection(found)


def _position(batch: Iterable[Signal]) -> str | None:
    found = [one.position for one in batch if not isinstance(one, Ended)]
    return found[-1] if found else None


async def spoken(reading: Reading, pieces: frozenset[str], batch: Iterable[Signal], position: str | None) -> str:
    """The pieces as one message, then the server's time, or that it ends."""
    text = ""
    if pieces:
        with suppress(Missing):
            text = reading.render("_live.html", pieces=pieces, **await _values(reading, pieces, batch))
    lines = "".join(f"data: {line}\n" for line in text.strip().splitlines())  # a message's empty lines are its own
    head = f"id: {position}\n" if position else ""
    now = reading.moments.iso(reading.moments.now)
    ended = next((one.reason for one in batch if isinstance(one, Ended)), None)
    last = f"event: ended\ndata: {ended}\n\n" if ended else f"event: beat\n{head}data: {now}\n\n"
    return (f"{head}{lines}\n" if lines else "") + last


async def _values(reading: Reading, pieces: frozenset[str], batch: Iterable[Signal]) -> dict[str, Any]:
    said = reading.request.query_params
    values: dict[str, Any] = {"chosen": said.get("c") or "", "eyes": []}
    if "convs" in pieces:
        values |= await rows(reading)
    if "counts" in pieces:
        values["waiting"] = await waiting(reading)
    if "msgs" in pieces:
        values |= await talk(reading, said["c"])
        values["eyes"] = [await eyed(reading, one) for one in _changed(values["cards"], batch)]
    if "accounts" in pieces:
        channels = (await nav(reading))["channels"]
        values["found"] = [(one, *ways(reading, one)) for one in channels]
    if "settle" in pieces:
        values |= settled(reading, await reading.need("GET /v1/channels/{channel_id}", said["channel"]))
    return values


def _changed(cards: Iterable[Any], batch: Iterable[Signal]) -> list[Any]:
    ids = {one.id for one in batch if isinstance(one, Change) and one.kind is Thing.MESSAGE}
    return [card.message for card in cards if card.outbound and card.message.message_id in ids]
