"""Pieces that many open pages show alike, made once: two hundred pages of a desk must not cost two hundred lists.

page asks --> nobody is making it: make it --> whoever asked before the making began takes what was made
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Generic, TypeVar

T = TypeVar("T")
KEPT: Final = 200


@dataclass(slots=True)
class _Piece(Generic[T]):
    """``began``: at which turn the making of what is kept began."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    began: int = -1
    made: T | None = None


class Shared(Generic[T]):
    """Keeps the last of each; nothing older than a question is ever its answer."""

    def __init__(self, kept: int = KEPT) -> None:
        self._pieces: OrderedDict[Hashable, _Piece[T]] = OrderedDict()
        self._kept, self._turns = kept, count()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` gives, by this caller or by one who began after this one asked."""
        asked = next(self._turns)
        piece = self._pieces.setdefault(key, _Piece())
        self._pieces.move_to_end(key)
        while len(self._pieces) > self._kept:
            self._pieces.popitem(last=False)
        async with piece.turn:
            if piece.made is not None and piece.began > asked:
                return piece.made
            piece.began = next(self._turns)
            piece.made = None
            made = piece.made = await make()
            return made
