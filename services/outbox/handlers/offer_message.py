"""A message that is due at some time is offered to its lane: from memory where this replica holds it.

```
the lane is ours -> listed        it is nobody's -> claimed, then listed        another replica's -> woken there
```
"""

from __future__ import annotations

from dataclasses import dataclass

from services.kit import logs
from services.kit.unavailable import Unavailable
from services.outbox.domain.document import Message, Status
from services.outbox.domain.lane import LaneKey, ticket_of
from services.outbox.handlers.hold_lane import HoldLane

log = logs.get_logger()


@dataclass(frozen=True, slots=True)
class OfferMessage:
    """An optimisation: what gets lost here, the sweep over the due index finds."""

    hold: HoldLane

    async def handle(self, message: Message) -> None:
        """Returns at once; never raises."""
        if message.status is not Status.QUEUED or message.due_at is None:
            return
        desk, key = self.hold.desk, (message.tenant, message.channel_id)
        work = desk.board.lanes.get(key)
        if work is not None and not work.leaving:
            desk.board.add(ticket_of(message, first=True))
            desk.ring()
        elif key not in desk.claiming:
            desk.begin(self._find_a_home(key, message))

    async def _find_a_home(self, key: LaneKey, message: Message) -> None:
        desk = self.hold.desk
        try:
            believed = desk.elsewhere.get(key, 0.0) > self.hold.clock.monotonic()
            if not believed and await self.hold.handle(*key):
                desk.board.add(ticket_of(message, first=True))
                desk.ring()
            elif message.due_at is not None:
                await self.hold.lanes.wake(*key, message.due_at)
        except Unavailable as error:
            log.warning("lane_left_to_the_sweep", reason=str(error))
