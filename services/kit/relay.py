"""The relay: publishes what documents owe, each document's events in order, and removes what Kafka acknowledged.

    written --hand_over--> in hand --acknowledged--> spoken --a moment later ($pull), or by the next write--> paid
       |                     | Unavailable
       +------ sweep <-------+          a crash repeats an event with the same id, never loses one

A document's next event is sent only when the one before it is acknowledged; the first ones of many documents go
together. What is spoken stays in its document for a moment: mostly that is written again soon, and takes it off too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from typing import Protocol

from contracts.event import AnyEvent
from services.kit import logs
from services.kit.owed import OwedStore
from services.kit.unavailable import Unavailable

log = logs.get_logger()

PAY_EVERY_S = 1.0
"""What was acknowledged is removed when it has stood so long, unless a write of the document has done it by then."""
PACE_S, GROUPS = 0.015, 8
"""Under load groups are sent so far apart, so many at once; an event that comes alone never waits."""
IN_HAND = 5_000
"""Documents published from memory at once; what comes above it is left to the sweep."""
REMEMBERED = 20_000
"""Ids of events spoken lately, so that a writer who names them once more does not publish them twice."""


class PublishesEach(Protocol):
    """What it needs of the publisher."""

    async def publish_each(self, events: Sequence[AnyEvent]) -> Sequence[Unavailable | None]:
        """Together; returns when each is acknowledged (None) or may not have been taken."""
        ...


class Relay:
    """One per collection with owed events and process; several may overlap, readers know a repeat by its id."""

    def __init__(self, store: OwedStore, publisher: PublishesEach) -> None:
        self._store, self._publisher = store, publisher
        self._in_hand: dict[str, deque[AnyEvent]] = {}
        self._waiting: dict[str, None] = {}
        self._groups: set[asyncio.Task[None]] = set()
        self._collecting, self._next = False, float("-inf")
        self._postponed: set[str] = set()
        self._said: dict[str, None] = {}
        self._unpaid: dict[str, list[str]] = {}
        self._paying: asyncio.Task[None] | None = None

    def spoken(self, doc_id: str) -> Collection[str]:
        """Ids of this document's events that are acknowledged and that it owes still: a write may take them off."""
        return tuple(self._unpaid.get(doc_id, ()))

    def hand_over(self, doc_id: str, events: Sequence[AnyEvent], taken_off: Collection[str] = ()) -> None:
        """Publishes from memory what a write just added; returns at once.

        ``events`` are *all* that the document owed after the write, in order: what it already owed when it was read,
        then the new ones. (Another replica may have written the earlier ones and not published them yet.) Those that
        this process has in hand or has lately spoken are left out. A document whose publishing was postponed waits for
        the sweep, so that nothing overtakes what is still owed. ``taken_off``: what the write took off of ``spoken``.
        """
        if taken_off:
            self._forget(doc_id, taken_off)
        queue = self._in_hand.get(doc_id)
        if queue is None and len(self._in_hand) >= IN_HAND:
            self._postponed.add(doc_id)
        if doc_id in self._postponed:
            return
        known = {event.id for event in queue or ()}
        fresh = [event for event in events if event.id not in known and event.id not in self._said]
        if queue is not None:
            queue.extend(fresh)
        elif fresh:
            self._in_hand[doc_id] = deque(fresh)
            self._waiting[doc_id] = None
            self._wake()

    async def sweep(self, limit: int = 500) -> int:
        """Publishes what nobody has in hand; the number of documents found."""
        found = [owing for owing in await self._store.owing(limit) if self._is_free(owing.doc_id)]
        for owing in found:
            self._postponed.discard(owing.doc_id)
            self.hand_over(owing.doc_id, owing.events)
        while self._groups and any(owing.doc_id in self._in_hand for owing in found):
            await asyncio.wait(self._groups, return_when=asyncio.FIRST_COMPLETED)
        await self._pay([owing.doc_id for owing in found])
        return len(found)

    async def drain(self) -> None:
        """Waits for what is in flight."""
        while self._groups:
            await asyncio.wait(self._groups)
        await self._pay(list(self._unpaid))

    def _wake(self) -> None:
        if self._collecting or len(self._groups) >= GROUPS:
            return
        self._collecting = True
        task = asyncio.create_task(self._send())
        self._groups.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, done: asyncio.Task[None]) -> None:
        self._groups.discard(done)
        if self._waiting and not done.cancelled():
            self._wake()

    async def _send(self) -> None:
        """One group: the first event of every document that waits."""
        loop = asyncio.get_running_loop()
        try:
            await asyncio.sleep(max(0.0, self._next - loop.time()))
        finally:
            self._collecting = False
        self._next = loop.time() + PACE_S
        doc_ids, self._waiting = list(self._waiting), {}
        outcomes = await self._outcomes([self._in_hand[doc_id][0] for doc_id in doc_ids])
        for doc_id, error in zip(doc_ids, outcomes, strict=True):
            if error is None:
                self._speak(doc_id)
            else:
                self._postpone(doc_id, error)
        if self._paying is None or self._paying.done():
            self._paying = asyncio.create_task(self._pay_later())

    async def _outcomes(self, events: Sequence[AnyEvent]) -> Sequence[Unavailable | None]:
        try:
            return await self._publisher.publish_each(events)
        except Exception as error:
            log.exception("relay_failed")
            return [Unavailable(type(error).__name__)] * len(events)

    def _speak(self, doc_id: str) -> None:
        queue = self._in_hand[doc_id]
        event = queue.popleft()
        self._unpaid.setdefault(doc_id, []).append(event.id)
        self._said[event.id] = None
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        if queue:
            self._waiting[doc_id] = None
        else:
            del self._in_hand[doc_id]

    def _postpone(self, doc_id: str, error: Unavailable) -> None:
        left = self._in_hand.pop(doc_id)
        self._postponed.add(doc_id)
        log.warning("relay_postponed", reason=str(error), events=len(left))

    async def _pay_later(self) -> None:
        while self._unpaid:
            standing = list(self._unpaid)
            await asyncio.sleep(PAY_EVERY_S)
            await self._pay(standing)

    async def _pay(self, doc_ids: Sequence[str]) -> None:
        """Removes what was acknowledged; where that fails it is tried again, and nothing is published meanwhile."""
        unpaid = {doc_id: self._unpaid.pop(doc_id) for doc_id in doc_ids if doc_id in self._unpaid}
        done = await asyncio.gather(*(self._store.paid(*one) for one in unpaid.items()), return_exceptions=True)
        for (doc_id, ids), error in zip(unpaid.items(), done, strict=True):
            if isinstance(error, Unavailable):
                self._unpaid[doc_id] = ids + self._unpaid.get(doc_id, [])
            elif error is not None:
                raise error

    def _forget(self, doc_id: str, ids: Collection[str]) -> None:
        left = [each for each in self._unpaid.get(doc_id, ()) if each not in ids]
        if left:
            self._unpaid[doc_id] = left
        else:
            self._unpaid.pop(doc_id, None)

    def _is_free(self, doc_id: str) -> bool:
        return doc_id not in self._in_hand and doc_id not in self._unpaid
