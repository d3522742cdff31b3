"""State first, speech after: a decision is written with the events it owes, then the relay is given them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from contracts.event import AnyEvent
from services.kit import metrics
from services.kit.unavailable import Unavailable
from services.outbox.domain.document import Message, altered
from services.outbox.domain.facts import Answered, Decision
from services.outbox.handlers.facts import doc_id, speak
from services.outbox.ports import Change, DatabaseClock, Hands, MessageStore

told = metrics.counter("outbox_facts", "Facts about messages that were written.", ["type"])
TRIES = 5
Rule = Callable[[Message, datetime], Decision | Answered | None]
"""Looks at a document and the time: a change, an answer that changes nothing, or nothing at all."""
Decided = tuple[Message, Decision | Answered | None]


@dataclass(frozen=True, slots=True)
class Record:
    """Writes decisions about messages."""

    store: MessageStore
    relay: Hands
    database_clock: DatabaseClock

    async def write(self, before: Message, decision: Decision, now: datetime, *, lapsed: bool = False) -> bool:
        """One compare-and-set; False: the document is another one by now. Raises Unavailable."""
        change = self.change(before, decision, now, lapsed=lapsed)
        if not await self.store.write(change):
            return False
        self.written(change)
        return True

    def change(self, before: Message, decision: Decision, now: datetime, *, lapsed: bool = False) -> Change:
        """The decision as a write, with the events it owes; what was spoken meanwhile is taken off by it."""
        spoken = self.relay.spoken(doc_id(before))
        return Change(before, decision.after, speak(decision, now), lapsed, spoken)

    def written(self, change: Change) -> None:
        """Hand over what the document owed when it was read and what was written now."""
        self.tell(change.before, change.owed, change.spoken)

    def tell(self, before: Message, owed: tuple[AnyEvent, ...], taken_off: Collection[str] = ()) -> None:
        """The same of a document that was created or met."""
        for each in owed:
            told.labels(each.type).inc()
        if owed or before.owed or taken_off:
            self.relay.hand_over(doc_id(before), (*before.owed, *owed), taken_off)

    async def handle(self, before: Message, rule: Rule, *, lapsed: bool = False) -> Decided:
        """Decide and write; a miss reads and decides again.

        The document that was decided on, and what: written if it is a Decision; None where the rule has nothing to do
        or the document is gone. Raises Unavailable after 5 misses.
        """
        message: Message | None = before
        for _ in range(TRIES):
            if message is None:
                return before, None
            now = self.database_clock.now()
            decision = rule(message, now)
            if not isinstance(decision, Decision) or await self.write(message, decision, now, lapsed=lapsed):
                return message, decision
            message = await self.store.load(before.tenant, before.message_id)
        raise Unavailable("the document keeps changing")


def without_owed(message: Message) -> Message:
    """The same document after the relay was given what it owed."""
    return altered(message, owed=()) if message.owed else message
