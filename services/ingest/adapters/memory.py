"""What a burst of mails needed is given back to the machine: glibc keeps freed memory, which adds up."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable

Released = Callable[[], int]


class Memory:
    """Gives freed memory back after work, once it is quiet. ``released`` counts how often some were let go."""

    def __init__(self, released: Released) -> None:
        self._released = released
        self._seen = self._trimmed = -1
        self._libc = ctypes.CDLL(None)

    async def trim(self) -> None:
        """Where something was let go since the last time and nothing just now. Without glibc nothing happens."""
        now = self._released()
        quiet, worked = now == self._seen, now != self._trimmed
        self._seen = now
        if quiet and worked and hasattr(self._libc, "malloc_trim"):
            self._trimmed = now
            await asyncio.to_thread(self._libc.malloc_trim, 0)
