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
        if not self._listed(key, message) and key not in desk.claiming:
            desk.begin(self._find_a_home(key, message))

    def _listed(self, key: LaneKey, message: Message) -> bool:
        work = self.hold.desk.board.lanes.get(key)
        if work is None or work.leaving:
            return False
        self.hold.desk.board.add(ticket_of(message, first=True))
        self.hold.desk.ring()
        return True

    async def _find_a_home(self, key: LaneKey, message: Message) -> None:
        desk = self.hold.desk
        if self._listed(key, message) or key in desk.claiming:
            return  # claimed meanwhile, or being claimed: what waits is listed after that
        try:
            believed = desk.elsewhere.get(key, 0.0) > self.hold.clock.monotonic()
            if not believed and await self.hold.handle(*key):
                self._listed(key, message)
            elif message.due_at is not None:
                await self.hold.lanes.wake(*key, message.due_at)
        except Unavailable as error:
            log.warning("lane_left_to_the_sweep", reason=str(error))
