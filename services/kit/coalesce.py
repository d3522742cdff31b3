"""Grouping of concurrent calls: each caller gives one item and gets its own result, the flush sees many.

A majority write costs the same for one document or hundreds, so grouping is what makes the channel fast. While fewer
than ``in_flight`` flushes run, a call is flushed at once; only what comes meanwhile is collected. Under load that makes
many small groups, so ``pace_s`` may hold the next one back: a call that comes alone still never waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


class Coalescer(Generic[T, R]):
    """Turns ``submit(item)`` calls into ``flush(items)`` calls; results come back by position.

    An exception of ``flush`` reaches every caller of that group. A cancelled caller's item may still be flushed.
    ``pace_s``: flushes begin at least so many seconds apart, unless ``limit`` items wait already.
    """

    def __init__(
        self, flush: Callable[[list[T]], Awaitable[Sequence[R]]], *, limit: int = 500, in_flight: int = 1,
        pace_s: float = 0.0,
    ) -> None:  # fmt: skip
        self._flush, self._limit, self._in_flight = flush, limit, in_flight
        self._pace_s, self._next = pace_s, float("-inf")
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, item: T) -> R:
        """The result of ``flush`` for this item."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if len(self._running) < self._in_flight:
            self._start()
        return await future

    def _start(self) -> None:
        task = asyncio.create_task(self._run())
        self._running.add(task)

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self._pace_s:
                    await self._paced()  # another one may have taken all meanwhile
                group = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
                if group:
                    await self._serve(group)
        finally:
            # Here, not in a done callback: callers served just now run before callbacks, would count us as running
            # still, and their next item would wait for ever.
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _paced(self) -> None:
        """Until the next group may begin."""
        loop = asyncio.get_running_loop()
        left = self._next - loop.time()
        if left > 0 and len(self._waiting) < self._limit:
            await asyncio.sleep(left)
        self._next = loop.time() + self._pace_s

    async def _serve(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._flush([item for item, _ in group])
        except BaseException as error:
            self._fail(group, error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    def _fail(self, group: list[tuple[T, asyncio.Future[R]]], error: BaseException) -> None:
        for _, future in group:
            if future.done():
                continue
            if isinstance(error, Exception):
                future.set_exception(error)
            else:
                future.cancel()
