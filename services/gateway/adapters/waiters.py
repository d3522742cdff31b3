"""Waiting for an answer: woken by this replica's projection, and looking by itself in case another one wrote it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from services.gateway.domain.change import Change

T = TypeVar("T")
LOOK_S: Final = (0.05, 0.05, 0.1, 0.1, 0.2)


class Waiters:
    """See ``ports.Waits``."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def wake(self, key: str) -> None:
        """See the port."""
        for woken in self._waiting.get(key, ()):
            woken.set()

    def hear(self, change: Change) -> None:
        """Another replica may have written it: whoever waits for this thing looks again."""
        self.wake(f"{change.kind}/{change.tenant}/{change.id}")

    async def until(self, key: str, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """See the port."""
        woken = asyncio.Event()
        self._waiting.setdefault(key, set()).add(woken)
        try:
            return await self._look(woken, look, asyncio.get_running_loop().time() + seconds)
        finally:
            self._waiting[key].discard(woken)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _look(self, woken: asyncio.Event, look: Callable[[], Awaitable[T | None]], deadline: float) -> T | None:
        for turn in range(10_000):
            woken.clear()  # before the look: what is written during it wakes the wait below
            found = await look()
            left = deadline - asyncio.get_running_loop().time()
            if found is not None or left <= 0:
                return found
            try:
                async with asyncio.timeout(min(left, LOOK_S[min(turn, len(LOOK_S) - 1)])):
                    await woken.wait()
            except TimeoutError:
                continue
        return None
