"""What is made of parts that must all be left again, also when one of them could not be entered."""

from __future__ import annotations

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self


class OfParts:
    """An async context: ``_start`` enters the parts on ``_open``; what it raises leaves those that were entered."""

    def __init__(self) -> None:
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start everything; all is ready on return."""
        try:
            await self._start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, the last one first; a part hears what was raised (the stack keeps its logs then)."""
        await self._open.__aexit__(kind, error, trace)

    async def _start(self) -> None:
        raise NotImplementedError  # each says its own
