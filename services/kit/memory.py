"""The memory of a process that runs for weeks: what stands after the start stays, and freed pages go back.

Collections then look at nothing but what came since, so they take less than a millisecond where they took a tenth of a
second (the objects of the imports are hundreds of thousands, and all of them are alive).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from typing import Final

EVERY_S: Final = 60.0
YOUNG: Final = 20_000
"""So many new objects start a collection: most of a request's are gone by themselves before that."""
_give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""glibc's (malloc_trim(3)); other C libraries have none."""


def settle() -> None:
    """Call once, when everything is built."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    give_back()


def give_back() -> None:
    """Free pages go back to the system."""
    if _give_back is not None:
        _give_back(0)


async def tidy() -> None:
    """From time to time, until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        give_back()
