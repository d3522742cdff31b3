"""The settle: what our transmission came to is written, and whatever cancel it held is answered (DESIGN §3.4).

```
decide, write --won--> settled
              --missed--> read: the stamp still ours (a cancel was held meanwhile) -> decide again; else recovery has it
              --no answer--> pause, read, as above
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt
from services.outbox.domain.backoff import Backoff, later
from services.outbox.domain.document import Message
from services.outbox.domain.envelope import Verdicts
from services.outbox.handlers.record_decision import Record
from services.outbox.ports import Clock

PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class SettleTransmission:
    """Settles until it is written, or until recovery has taken the message."""

    record: Record
    clock: Clock
    chance: Callable[[], float]
    retry: Backoff

    async def handle(self, committed: Message, verdicts: Verdicts) -> Message | None:
        """The settled document; None: recovery has it (or an earlier, unanswered try of ours was applied)."""
        current: Message | None = committed
        while current is not None and attempt.is_ours(current, committed):
            try:
                if settled := await self._try(current, verdicts):
                    return settled
                current = await self.record.store.load(committed.tenant, committed.message_id)
            except Unavailable:
                await self.clock.sleep(PAUSE_S)
                current = await self._read(committed)
        return None

    async def _try(self, current: Message, verdicts: Verdicts) -> Message | None:
        now = self.record.database_clock.now()
        again_at = later(now, self.retry.seconds(current.tries, self.chance()))
        decision = attempt.settled(current, verdicts, now, again_at)
        return decision.after if await self.record.write(current, decision, now) else None

    async def _read(self, committed: Message) -> Message | None:
        while True:
            try:
                return await self.record.store.load(committed.tenant, committed.message_id)
            except Unavailable:
                await self.clock.sleep(PAUSE_S)
