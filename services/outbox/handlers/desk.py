"""The desk of one replica: its board of lanes, what it has begun, and the bell that says there is something new."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.outbox.domain.board import Board
from services.outbox.domain.document import Message
from services.outbox.domain.lane import LaneKey, Ticket

AT_HAND = 16 * 1024
"""Messages with a raw form up to this size are kept in memory until they are due; others are read again."""


@dataclass(slots=True)
class Desk:
    """``owner``: this process, a new id with each start. ``claiming``: lanes being asked for; ``elsewhere``: lanes that
    another replica held, until when (monotonic) we believe it."""

    owner: str
    board: Board
    claiming: set[LaneKey] = field(default_factory=set)
    elsewhere: dict[LaneKey, float] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: set[asyncio.Task[Any]] = field(default_factory=set)

    def ring(self) -> None:
        """Something is new on the board."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """Until the bell rings or that long."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._bell.wait()
        except TimeoutError:
            pass
        self._bell.clear()

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Let it run beside everything else."""
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    def close(self) -> None:
        """Take up nothing any more."""
        self.board.closed = True

    async def finish(self) -> None:
        """Wait for what has begun."""
        while self._begun:
            await asyncio.wait(self._begun)


def ticket_of(message: Message, *, first: bool, due_at: datetime | None = None) -> Ticket:
    """The ticket of a message that waits; small ones stay at hand."""
    small = message.raw is not None and message.raw.octets is not None and len(message.raw.octets) <= AT_HAND
    due = due_at or message.due_at
    if due is None:
        raise ValueError("a message that waits is due at some time")
    return Ticket(
        message.tenant, message.channel_id, message.message_id, message.conversation_id, due, first,
        message if small else None,
    )  # fmt: skip
