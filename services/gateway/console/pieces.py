"""The pieces of an open page, told anew when something changed: as little as shows the same.

A row or a message that changed is told alone; when one came, went or moved, everything around it is told, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from services.gateway.console.beside import nav, waiting
from services.gateway.console.channels import settled, ways
from services.gateway.console.conversations import rows, talk
from services.gateway.console.eyes import eyed
from services.gateway.console.listing import Listing, marked
from services.gateway.console.reading import Reading
from services.gateway.domain.change import Change, Reset, Signal, Thing

PIECES: Final = ("counts", "msgs", "convs", "accounts", "settle")
TOUCHES: Final = {
    Thing.MESSAGE: ("msgs", "convs", "counts"), Thing.CONVERSATION: ("convs", "counts"),
    Thing.QUARANTINED: ("convs", "counts"), Thing.CHANNEL: ("accounts", "settle"),
    Thing.CHANNEL_STATUS: ("accounts", "settle", "msgs"),
}  # fmt: skip
PERSONAL: Final = frozenset({"clock", "attention"})
"""Views whose lines differ from reader to reader, by what they may do."""


@dataclass(slots=True)
class Page:
    """What an open page shows by now: the list, and of its conversation what asks for somebody, then the messages."""

    listing: Listing | None = None
    said: tuple[str, ...] = ()


def touched(reading: Reading, batch: Iterable[Signal], shown: frozenset[str]) -> frozenset[str]:
    """Which pieces of the page the signals touch."""
    said, found = reading.request.query_params, set[str]()
    about = {said.get("c"), said.get("of")}  # its conversation, and the channel that sends for it
    for one in batch:
        if isinstance(one, Reset):
            return shown.intersection(PIECES)
        if isinstance(one, Change):
            pieces, of = TOUCHES.get(one.kind, ()), one.conversation_id or one.id
            found.update(piece for piece in pieces if piece != "msgs" or of in about)
    return shown.intersection(found)


async def text_of(reading: Reading, page: Page, pieces: frozenset[str], batch: Sequence[Signal]) -> str:
    """The pieces as they now are; raises Missing where something they are about is gone."""
    text = await _listed(reading, page) if "convs" in pieces else ""
    values = await _values(reading, page, pieces, batch)
    return text + reading.render("_live.html", pieces=pieces, **values)


async def _listed(reading: Reading, page: Page) -> str:
    """What is new in the list, which is made once for all pages that show it alike."""
    said, who = reading.request.query_params, reading.who
    asked, beside = tuple(said.get(name) or "" for name in ("view", "channel_id", "q", "cursor")), bool(said.get("c"))
    whose = (reading.session,) if asked[0] in PERSONAL else who.names if asked[0] == "mine" else ()
    alike = (who.tenant, whose, reading.words.language, reading.zone, asked, beside)
    now = await reading.alike.lists.get(alike, partial(_list_made, reading, beside))
    before, page.listing = page.listing, now
    return marked(now.since(before), said.get("c") or "")


async def _list_made(reading: Reading, beside: bool) -> Listing:
    return Listing.of(reading.render("_live_list.html", chosen="another" if beside else "", **await rows(reading)))


async def _values(reading: Reading, page: Page, pieces: frozenset[str], batch: Sequence[Signal]) -> dict[str, Any]:
    said = reading.request.query_params
    values: dict[str, Any] = {"eyes": []}
    if "counts" in pieces:
        values["waiting"] = await reading.alike.counts.get(reading.who.tenant, partial(waiting, reading))
    if "msgs" in pieces:
        values |= await talk(reading, said["c"])
        values["changed"] = _differing(page, values, batch)
        values["eyes"] = [await eyed(reading, one) for one in _changed(values["cards"], batch)]
    if "accounts" in pieces:
        values["found"] = [(one, *ways(reading, one)) for one in (await nav(reading))["channels"]]
    if "settle" in pieces:
        values |= settled(reading, await reading.need("GET /v1/channels/{channel_id}", said["channel"]))
    return values


def _differing(page: Page, talk: dict[str, Any], batch: Sequence[Signal]) -> list[Any] | None:
    """The cards that changed, None where all are told: some came or went, or everything may look different."""
    asks = str(talk["conversation"].attention)
    before, page.said = page.said, (asks, *(card.message.message_id for card in talk["cards"]))
    sent = {one.id for one in batch if isinstance(one, Change) and one.kind is Thing.MESSAGE}
    all_of_them = any(isinstance(one, Reset) or _about_channel(one) for one in batch)
    if not sent or all_of_them or page.said != before or talk["conversation"].unread:
        return None
    return [replace(card, day="") for card in talk["cards"] if card.message.message_id in sent]


def _about_channel(signal: Signal) -> bool:
    return isinstance(signal, Change) and signal.kind is Thing.CHANNEL_STATUS


def _changed(cards: Iterable[Any], batch: Iterable[Signal]) -> list[Any]:
    ids = {one.id for one in batch if isinstance(one, Change) and one.kind is Thing.MESSAGE}
    return [card.message for card in cards if card.outbound and card.message.message_id in ids]
