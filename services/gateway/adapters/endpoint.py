"""One line of the table of HTTP routes: what comes in, who answers, what goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.responses import Response

from services.gateway.adapters.rest_requests import Body

SMALL: Final = 1024


class Trait(Flag):
    """What an endpoint takes besides path and body.

    KEYED: an Idempotency-Key; TAGGED: gives an ETag; MATCHED: takes If-Match; SETTLES: a settings
    change that its owner may answer later (202); PAGED: limit and cursor; TIMED: its cursors are (time, id); RANKED:
    (rank, time, id); UPLOADED: its body is a file; RESUMED: takes Last-Event-ID; NAMED: the id in its path
    is the caller's to choose.
    """

    NONE = 0
    KEYED = auto()
    TAGGED = auto()
    MATCHED = auto()
    SETTLES = auto()
    PAGED = auto()
    TIMED = auto()
    RANKED = auto()
    UPLOADED = auto()
    RESUMED = auto()
    NAMED = auto()
    CHANGED = TAGGED | MATCHED | SETTLES


@dataclass(frozen=True, slots=True)
class Either:
    """A status that depends on the answer."""

    statuses: tuple[int, ...]
    of: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that is no JSON; ``respond`` makes it of what the use case says."""

    media_type: str
    about: str
    respond: Callable[[Any], Response]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``answer`` is called with who asks, the ids of the path, the query, the body's parts, the key or the version.

    ``scopes``: one of them is needed; ``gives.of(answer)`` makes the resource, or it is Streamed.
    """

    method: str
    path: str
    answer: Callable[..., Awaitable[Any]]
    about: str
    scopes: tuple[str, ...]
    gives: Any
    takes: type[Body] | None = None
    traits: Trait = Trait.NONE
    status: int | Either = 200
    query: tuple[str, ...] = ()
    reader: TypeAdapter[Body] | None = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reader", TypeAdapter(self.takes) if self.takes else None)

    @property
    def largest(self) -> int:
        """How many octets a body may have."""
        return self.takes.largest if self.takes else SMALL
