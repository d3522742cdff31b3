"""Kafka gave us shards: what they hold follows as a replay, what is others' is ended. Revoking alone ends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.ingest.handlers.hold_mailboxes import HoldMailboxes
from services.ingest.ports import Assignment
from services.kit import logs

log = logs.get_logger()


class Assignable(Protocol):
    """Where the newest assignment is kept."""

    def assign(self, given: Assignment) -> None:
        """From now on this one holds."""
        ...


@dataclass(frozen=True, slots=True)
class AssignShards:
    """Answers an assignment."""

    hold: HoldMailboxes
    ownership: Assignable

    async def handle(self, given: Assignment) -> None:
        """Returns at once: a rebalance waits for nobody."""
        self.ownership.assign(given)
        self.hold.desk.board.forget_others(self.hold.ownership.mine)
        self.hold.desk.bell.set()
        log.info("shards_assigned", shards=len(given.mine), of=given.count)
