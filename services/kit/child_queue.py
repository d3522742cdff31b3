"""What waits for the killable children: quick requests are handed over together, heavy ones alone.

A heavy request may take seconds. Never are all processes given one at once, so that the quick ones find a process;
where there is but one process, they take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.kit.child_process import Killed

MOST_REQUESTS: Final = 64
MOST_BYTES: Final = 8 << 20
HEAVY: Final = 128 << 10


@dataclass(slots=True)
class Waiting:
    """A request and who waits for its answer."""

    request: bytes
    answer: asyncio.Future[bytes | Killed]
    tries: int = 0

    @property
    def heavy(self) -> bool:
        """Whether it may take long."""
        return len(self.request) > HEAVY


class ChildQueue:
    """The requests that wait for `size` processes."""

    def __init__(self, size: int) -> None:
        self._most_heavy = max(1, size - 1)
        self._quick: deque[Waiting] = deque()
        self._heavy: deque[Waiting] = deque()
        self._carried = 0
        self._wake = asyncio.Semaphore(0)

    async def something(self) -> None:
        """Wait until there may be something to take."""
        await self._wake.acquire()

    def put(self, one: Waiting, *, first: bool = False) -> None:
        """It waits now."""
        queue = self._heavy if one.heavy else self._quick
        (queue.appendleft if first else queue.append)(one)
        self._wake.release()

    def take(self, idle: int, *, after_heavy: bool) -> list[Waiting]:
        """What a process is given now: one heavy request, or a fair share of the quick ones beside `idle` others."""
        if not (after_heavy and self._quick) and (heavy := self._take_heavy()):
            return heavy
        share = min(MOST_REQUESTS, -(-len(self._quick) // (idle + 1)))
        batch: list[Waiting] = []
        size = 0
        while self._quick and len(batch) < share and (not batch or size + len(self._quick[0].request) <= MOST_BYTES):
            one = self._quick.popleft()
            if not one.answer.done():
                batch.append(one)
                size += len(one.request)
        return batch

    def _take_heavy(self) -> list[Waiting]:
        while self._heavy and self._carried < self._most_heavy:
            one = self._heavy.popleft()
            if not one.answer.done():
                self._carried += 1
                return [one]
        return []

    def carried(self) -> None:
        """A process is through with a heavy request."""
        self._carried -= 1
        if self._heavy:
            self._wake.release()  # whoever woke for it may have had to leave it

    def clear(self, outcome: Killed) -> None:
        """Nobody waits any more."""
        for queue in (self._quick, self._heavy):
            answer_all(queue, outcome)
            queue.clear()


def answer_all(batch: Iterable[Waiting], outcome: bytes | Killed) -> None:
    """Tell everybody who still waits."""
    for one in batch:
        if not one.answer.done():
            one.answer.set_result(outcome)
