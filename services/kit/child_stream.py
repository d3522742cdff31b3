"""One request that is too large to hold, in a killable process of its own: it goes in and comes out in pieces.

    async with StreamingChild("services.ingest.adapters.parse_child", limits) as child:
        answer = await child.ask(size, pieces)          # Killed, or Answer
        head = await answer.exactly(4)
        async for piece in answer.pieces(1_000_000): ...

The process speaks the protocol of `child_loop`, is started for this one request and ended after it, which gives back
all memory the request has cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from services.kit import metrics
from services.kit.child_loop import LENGTH, OK
from services.kit.child_process import ChildEnded, ChildProcess, Killed, Limits, Reason, outcome
from services.kit.logs import log

PIECE: Final = 128 * 1024
T = TypeVar("T")


class Answer:
    """What is left of an answer; ``left`` in octets. Reading raises ChildEnded where the process ends before it."""

    def __init__(self, size: int, read: Callable[[int], Coroutine[Any, Any, bytes]]) -> None:
        self.left, self._read = size, read

    async def exactly(self, size: int) -> bytes:
        """So many octets; raises ValueError where there are not so many."""
        if not 0 <= size <= self.left:
            raise ValueError("an answer is shorter than it says")
        self.left -= size
        return await self._read(size)

    async def pieces(self, size: int) -> AsyncIterator[bytes]:
        """So many octets, piece by piece."""
        while size > 0:
            piece = await self.exactly(min(size, PIECE))
            size -= len(piece)
            yield piece


class StreamingChild:
    """`python -m <module>` for one request; `async with` from start to end, which kills what is left."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._module, self._limits = module, limits

    async def __aenter__(self) -> Self:
        """Start it; raises ChildEnded("start")."""
        self._child = ChildProcess(self._module, self._limits)
        await self._child.connect(PIECE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Reap it."""
        await asyncio.shield(self._child.end("died"))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    async def ask(self, size: int, request: AsyncIterator[bytes]) -> Answer | Killed:
        """Hand over so many octets and wait for the beginning of the answer. Raises what the iterator raises."""
        try:
            await self._in_time(self._child.feed(LENGTH.pack(size)))
            async for piece in request:
                await self._in_time(self._child.feed(piece))
            length = LENGTH.unpack(await self._in_time(self._child.take(LENGTH.size)))[0]
            if length > self._limits.output_bytes + 1:
                return self._noted(Killed("output"))
            status = await self._take(1)
            if status != OK:
                return self._noted(outcome(status + await self._take(length - 1)))
        except ChildEnded as ended:
            return self._noted(Killed(ended.reason))
        return Answer(length - 1, self._take)

    async def _take(self, size: int) -> bytes:
        return await self._in_time(self._child.take(size))

    async def _in_time(self, step: Coroutine[Any, Any, T]) -> T:
        reason: Reason | None = None
        try:
            async with asyncio.timeout(self._limits.wall_seconds):
                return await step
        except TimeoutError:
            reason = "wall"
        except (asyncio.IncompleteReadError, ConnectionError):
            reason = None
        raise ChildEnded(await self._child.end(reason), 1)

    def _noted(self, killed: bytes | Killed) -> Killed:
        found = killed if isinstance(killed, Killed) else Killed("died")
        metrics.child_deaths.labels(self._module.rpartition(".")[2], found.reason).inc()
        log.warning("child_killed", module=self._module, reason=found.reason, detail=found.detail)
        return found
