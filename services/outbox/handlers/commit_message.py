"""The commit: one compare-and-set right before DATA decides that this message goes now, by us (DESIGN §3.3).

```
commit --Won--> DATA may begin      --Lost--> RSET
       --Unanswered--> fence --Fenced--> it never will be applied: RSET
                             --Won--> it was: DATA      --Gone--> somebody else moved it on: RSET
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt
from services.outbox.domain.backoff import later
from services.outbox.domain.document import Message
from services.outbox.domain.envelope import Verdicts
from services.outbox.handlers.record_decision import Record, without_owed
from services.outbox.ports import Change, Clock, Fenced, Gone, Lost, Unanswered, Won

FENCE_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class DataLimit:
    """Seconds a transmission may take from before its commit was sent, and the margin until anybody else steps in."""

    seconds: float = 300.0
    margin: float = 15.0

    @property
    def hold(self) -> float:
        """From the commit to ``transmission.until``."""
        return self.seconds + self.margin


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """Commits one message. ``stamps`` gives a stamp per take-up, unique for ever."""

    record: Record
    clock: Clock
    stamps: Callable[[], str]
    limit: DataLimit

    async def handle(self, message: Message, accepted: tuple[str, ...], refusals: Verdicts) -> Message | None:
        """The committed document, if it is ours to transmit."""
        now = self.record.database_clock.now()
        decision = attempt.commit(message, self.stamps(), accepted, refusals, later(now, self.limit.hold))
        change = self.record.change(message, decision, now)
        found: Won | Lost | Unanswered | Fenced | Gone = await self.record.store.commit(change, self.limit.hold)
        if isinstance(found, Unanswered):
            found = await self._fence(message, decision.after)
        return self._ours(change, found.message) if isinstance(found, Won) else None

    async def _fence(self, message: Message, committed: Message) -> Fenced | Won | Gone:
        stamp = committed.transmission.by if committed.transmission else ""
        while True:
            try:
                return await self.record.store.fence(message, stamp)
            except Unavailable:
                await self.clock.sleep(FENCE_PAUSE_S)

    def _ours(self, change: Change, committed: Message) -> Message:
        self.record.written(change)
        return without_owed(committed)
