"""How a wish ends when it is not granted, and how one that was answered before is known again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

REMEMBERED: Final = 16
"""How many answered wishes a document remembers; a Kafka replay is seldom longer for one channel."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field, as a path like ``smtp.host``, what is wrong with it and what to change."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a wish is not granted: a code of the contract, a sentence, the fields, and the version it lost against."""

    code: str
    detail: str
    faults: tuple[Fault, ...] = ()
    current_version: int | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The wish was granted before; its answer is what stands."""


@dataclass(frozen=True, slots=True)
class Recent:
    """The request ids a document answered last, oldest first."""

    ids: tuple[str, ...] = field(default=())

    def has(self, request_id: str) -> bool:
        """Whether this wish was granted by this document."""
        return request_id in self.ids

    def plus(self, request_id: str) -> Recent:
        """With one more, the oldest forgotten."""
        return Recent((*self.ids, request_id)[-REMEMBERED:])
