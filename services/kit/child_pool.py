"""A pool of killable child processes: the only place where untrusted input meets code that may never return."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from services.kit import metrics
from services.kit.child_process import ChildEnded, ChildProcess, Killed, Limits
from services.kit.child_queue import ChildQueue, Waiting, answer_all
from services.kit.logs import log


class ChildPool:
    """Runs a module's handler in `size` processes and survives whatever a request does to them.

    `seconds` of CPU, `memory_bytes` of address space and `output_bytes` of answer are each request's limits;
    `wall_seconds` without progress (default ten times the CPU seconds, at least 2) catch one that sleeps. After
    `recycle_after` requests a process is replaced. Requests that wait are handed over together, up to 64, heavy ones
    alone (`child_queue`). When a process dies, the request it had in hand is answered `Killed` and the others go to the
    next process.

    A process starts when it is first needed, or in `start(early=True)`.
    """

    def __init__(
        self,
        module: str,
        *,
        size: int,
        seconds: float,
        memory_bytes: int,
        output_bytes: int,
        recycle_after: int = 10_000,
        wall_seconds: float | None = None,
    ) -> None:
        self._module, self._size, self._recycle_after = module, size, recycle_after
        wall = wall_seconds if wall_seconds is not None else max(2.0, 10 * seconds)
        self._limits = Limits(seconds, wall, memory_bytes, output_bytes)
        self._queue = ChildQueue(size)
        self._children: set[ChildProcess] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._idle = 0

    @property
    def pids(self) -> list[int]:
        """The processes alive now."""
        return [child.pid for child in self._children]

    async def start(self, *, early: bool = False) -> None:
        """Make ready; with `early`, start the processes now: raises ChildEnded("start") when one does not come up."""
        if not self._tasks:
            opened = await asyncio.gather(*(self._open() for _ in range(self._size if early else 0)))
            children = [*opened, *[None] * (self._size - len(opened))]
            self._tasks = [asyncio.create_task(self._work(child)) for child in children]

    async def call(self, request: bytes) -> bytes | Killed:
        """The handler's answer, or why there is none; never raises for what the request did."""
        (outcome,) = await self.call_all([request])
        return outcome

    async def call_all(self, requests: Sequence[bytes]) -> list[bytes | Killed]:
        """The same for many, answered in their order; a task each would cost more than the call."""
        if not self._tasks:
            await self.start()
        loop, asked = asyncio.get_running_loop(), []
        for request in requests:
            answer: asyncio.Future[bytes | Killed] = loop.create_future()
            asked.append(answer)
            self._queue.put(Waiting(request, answer))
        return [self._noted(await answer) for answer in asked]

    def _noted(self, outcome: bytes | Killed) -> bytes | Killed:
        if isinstance(outcome, Killed):
            metrics.child_deaths.labels(self._module.rpartition(".")[2], outcome.reason).inc()
            log.warning("child_killed", module=self._module, reason=outcome.reason, detail=outcome.detail)
        return outcome

    async def close(self) -> None:
        """End all processes; whoever still waits gets `Killed("died")`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._queue.clear(Killed("died", "closed"))

    async def _work(self, child: ChildProcess | None) -> None:
        heavy = False
        try:
            while True:
                self._idle += 1
                await self._queue.something()
                self._idle -= 1
                if batch := self._queue.take(self._idle, after_heavy=heavy):
                    heavy = batch[0].heavy
                    child = await self._serve(child, batch)
        finally:
            await self._drop(child)

    async def _serve(self, child: ChildProcess | None, batch: list[Waiting]) -> ChildProcess | None:
        answered = 0
        try:
            child = child or await self._open()
            async with contextlib.aclosing(child.hand_over([one.request for one in batch])) as answers:
                async for outcome in answers:
                    answer_all(batch[answered : answered + 1], outcome)
                    answered += 1
        except ChildEnded as ended:
            self._settle(ended, batch[answered:], answered)
            await self._drop(child)
            return None
        except BaseException:
            answer_all(batch[answered:], Killed("died", "closed"))
            await self._drop(child)
            raise
        finally:
            if batch[0].heavy:
                self._queue.carried()
        if child.answered >= self._recycle_after:
            await self._drop(child)
            return None
        return child

    def _settle(self, ended: ChildEnded, left: list[Waiting], answered: int) -> None:
        """The request in hand is lost with the process; answers not yet flushed and requests not begun go again.

        With none in hand (it was killed between two, or died of reading one) the next one goes again once.
        """
        guilty = max(0, ended.begun - answered - 1)
        left[guilty].tries += 1
        if ended.reason == "start":
            answer_all(left, Killed("start"))
        elif ended.begun > answered or left[guilty].tries > 1:
            answer_all(left[guilty : guilty + 1], Killed(ended.reason))
        for one in reversed([one for one in left if not one.answer.done()]):
            self._queue.put(one, first=True)

    async def _open(self) -> ChildProcess:
        child = ChildProcess(self._module, self._limits)
        self._children.add(child)
        try:
            await child.connect()
        except BaseException:
            await self._drop(child)
            raise
        return child

    async def _drop(self, child: ChildProcess | None) -> None:
        if child in self._children:
            self._children.discard(child)
            await asyncio.shield(child.end("died"))
