"""The desk on asyncio: the bell is an event, what has begun are tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from services.outbox.domain.board import Board
from services.outbox.domain.lane import LaneKey


@dataclass(slots=True)
class AsyncioDesk:
    """The Desk port."""

    owner: str
    board: Board
    claiming: set[LaneKey] = field(default_factory=set)
    elsewhere: dict[LaneKey, float] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: set[asyncio.Task[Any]] = field(default_factory=set)

    def ring(self) -> None:
        """See Desk."""
        self._bell.set()

    async def wait(self, seconds: float) -> None:
        """See Desk."""
        if not self._bell.is_set():
            timer = asyncio.get_running_loop().call_later(max(0.0, seconds), self._bell.set)
            try:
                await self._bell.wait()
            finally:
                timer.cancel()
        self._bell.clear()

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """See Desk."""
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    def close(self) -> None:
        """See Desk."""
        self.board.closed = True

    async def finish(self) -> None:
        """See Desk."""
        while self._begun:
            await asyncio.wait(self._begun)
