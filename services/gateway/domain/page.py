"""A part of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in order; ``after`` is the position behind the last one, None where the list ends."""

    items: tuple[T, ...]
    after: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of a list is wanted: at most ``limit`` items behind the position ``after``."""

    limit: int = 50
    after: tuple[str, ...] | None = None
