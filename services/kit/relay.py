"""The relay: publishes what documents owe, each document's events in order, and removes what Kafka acknowledged.

    written --hand_over--> publishing --acknowledged--> spoken --a moment later ($pull), or by the next write--> paid
       |                       | Unavailable
       +------ sweep <---------+          a crash repeats an event with the same id, never loses one

A document's next event is sent only when the one before it is acknowledged; different documents are in flight together.
What is spoken stays in the document for a moment: mostly it is written again soon, and that write takes it off too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from contracts.event import AnyEvent
from services.kit import logs
from services.kit.owed import OwedStore
from services.kit.publisher import Publishes
from services.kit.unavailable import Unavailable

log = logs.get_logger()

PAY_AFTER_S = 1.0
"""What was acknowledged is removed so much later, unless a write of the document has done it by then."""
IN_FLIGHT = 5_000
"""Documents published from memory at once; what comes above it is left to the sweep."""


REMEMBERED = 20_000
"""Ids of events paid lately, so that a writer who names them once more does not publish them twice."""


class Relay:
    """One per collection with owed events and process; several may overlap, readers know a repeat by its id."""

    def __init__(self, store: OwedStore, publisher: Publishes) -> None:
        self._store, self._publisher = store, publisher
        self._tails: dict[str, asyncio.Task[bool]] = {}
        self._handed: dict[str, set[str]] = {}
        self._postponed: set[str] = set()
        self._paid: dict[str, None] = {}
        self._unpaid: dict[str, list[str]] = {}
        self._paying: asyncio.Task[None] | None = None

    def spoken(self, doc_id: str) -> Collection[str]:
        """Ids of this document's events that are acknowledged and that it owes still: a write may take them off."""
        return tuple(self._unpaid.get(doc_id, ()))

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Publishes from memory what a write just added; returns at once.

        ``events`` are *all* that the document owed after the write, in order: what it already owed when it was read,
        then the new ones. (Another replica may have written the earlier ones and not published them yet.) Those that
        this process has in hand or has lately paid are left out. A document whose publishing was postponed waits for
        the sweep, so that nothing overtakes what is still owed. ``taken_off``: what the write took off of ``spoken``.
        """
        if taken_off:
            self._settle(doc_id, taken_off)
        if len(self._tails) >= IN_FLIGHT:
            self._postponed.add(doc_id)
        if doc_id in self._postponed:
            return
        handed = self._handed.get(doc_id, set())
        fresh = [event for event in events if event.id not in handed and event.id not in self._paid]
        if not fresh:
            return
        self._handed.setdefault(doc_id, set()).update(event.id for event in fresh)
        task = asyncio.create_task(self._after(self._tails.get(doc_id), doc_id, fresh))
        self._tails[doc_id] = task
        task.add_done_callback(lambda done: self._forget(doc_id, done))

    async def sweep(self, limit: int = 500) -> int:
        """Publishes what nobody has in hand; the number of documents found."""
        found = [owing for owing in await self._store.owing(limit) if self._is_free(owing.doc_id)]
        for owing in found:
            self._postponed.discard(owing.doc_id)
            self.hand_over(owing.doc_id, owing.events)
        await asyncio.gather(*(self._tails[owing.doc_id] for owing in found if owing.doc_id in self._tails))
        await self._pay()
        return len(found)

    async def drain(self) -> None:
        """Waits for what is in flight."""
        while self._tails:
            await asyncio.gather(*self._tails.values(), return_exceptions=True)
            await asyncio.sleep(0)
        await self._pay()

    async def _after(self, before: asyncio.Task[bool] | None, doc_id: str, events: Sequence[AnyEvent]) -> bool:
        if before is not None and not await before:
            return False
        return await self._speak(doc_id, events)

    async def _speak(self, doc_id: str, events: Sequence[AnyEvent]) -> bool:
        try:
            for event in events:
                await self._publisher.publish(event)
                self._unpaid.setdefault(doc_id, []).append(event.id)
        except Unavailable as error:
            self._postponed.add(doc_id)
            log.warning("relay_postponed", reason=str(error), events=len(events))
            return False
        finally:
            if self._paying is None or self._paying.done():
                self._paying = asyncio.create_task(self._pay_later())
        self._remember(events)
        return True

    async def _pay_later(self) -> None:
        while self._unpaid:
            await asyncio.sleep(PAY_AFTER_S)
            await self._pay()

    async def _pay(self) -> None:
        """Removes what was acknowledged; where that fails it is tried again, and nothing is published meanwhile."""
        unpaid, self._unpaid = self._unpaid, {}
        done = await asyncio.gather(*(self._store.paid(*one) for one in unpaid.items()), return_exceptions=True)
        for (doc_id, ids), error in zip(unpaid.items(), done, strict=True):
            if isinstance(error, Unavailable):
                self._unpaid[doc_id] = ids + self._unpaid.get(doc_id, [])
            elif error is not None:
                raise error

    def _settle(self, doc_id: str, ids: Collection[str]) -> None:
        left = [each for each in self._unpaid.get(doc_id, ()) if each not in ids]
        if left:
            self._unpaid[doc_id] = left
        else:
            self._unpaid.pop(doc_id, None)

    def _is_free(self, doc_id: str) -> bool:
        return doc_id not in self._tails and doc_id not in self._unpaid

    def _remember(self, events: Sequence[AnyEvent]) -> None:
        self._paid.update(dict.fromkeys(event.id for event in events))
        while len(self._paid) > REMEMBERED:
            del self._paid[next(iter(self._paid))]

    def _forget(self, doc_id: str, done: asyncio.Task[bool]) -> None:
        if self._tails.get(doc_id) is done:
            del self._tails[doc_id]
            self._handed.pop(doc_id, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("relay_failed", error=type(error).__name__)
