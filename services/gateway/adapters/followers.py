"""A reader of changes: what waits for it, each thing once, and the end of one who does not keep up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.gateway.domain.change import Change, Ended, Signal, Thing

MOST: Final = 500
Finish = Callable[[str, int | None, Sequence[Change]], Awaitable[Sequence[Signal]]]
"""Adds what the feed alone knows to what waited for a tenant's reader (after a reset to that place, if any): the
conversations, and where the reader now stands."""


class Waiting:
    """See ``ports.Follower``; ``after``: what the reader has seen, None where it is new.

    ``admitted``: it has been told what it missed, and from now on hears of each change.
    """

    __slots__ = ("__weakref__", "_ended", "_finish", "_pending", "_reset", "_woken", "admitted", "after", "tenant")

    def __init__(self, tenant: str, after: str | None, finish: Finish) -> None:
        self.tenant, self.after, self.admitted = tenant, after, False
        self._finish = finish
        self._pending: dict[tuple[Thing, str], Change] = {}
        self._reset: int | None = None
        self._ended: str | None = None
        self._woken = asyncio.Event()

    def push(self, change: Change) -> None:
        """One more; a thing that changed twice is told once, at its later place."""
        if self._ended is not None:
            return
        self._pending.pop((change.kind, change.id), None)
        self._pending[change.kind, change.id] = change
        if len(self._pending) > MOST:
            self.reset(change.version)
            self.end("too_slow")
        self._woken.set()

    def reset(self, position: int) -> None:
        """It may have missed something."""
        self._pending.clear()
        self._reset = position
        self._woken.set()

    def end(self, reason: str) -> None:
        """Nothing follows what waits now."""
        self._ended = self._ended or reason
        self._woken.set()

    def wake(self) -> None:
        """Let it say where it stands."""
        self._woken.set()

    async def next(self, seconds: float) -> Sequence[Signal]:
        """See the port."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
        reset, waiting = self._reset, list(self._pending.values())
        self._pending.clear()
        self._reset = None
        told = await self._finish(self.tenant, reset, waiting)
        return [*told, Ended(self._ended)] if self._ended is not None else list(told)

    def close(self) -> None:
        """See the port."""
        self.end("closed")
