"""One command on its way: what it waits for and what it was told meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aioimaplib.aioimaplib import CRLF, Command

from services.ingest.adapters.imap_answers import Status
from services.ingest.adapters.imap_lines import Response
from services.ingest.adapters.imap_wire import Wire

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """The tagged status, the untagged responses that were to be kept, and the status codes heard on the way."""

    status: Status
    kept: list[Response] = field(default_factory=list, repr=False)
    codes: dict[str, bytes] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status.result == "OK"


class Asked(Command):
    """A command of the library's (which refuses CR, LF and NUL in arguments: ValueError), waited for by futures.

    ``replies`` None: no ``+`` is expected at all; else one is sent at each ``+``, and the first may have none.
    """

    def __init__(
        self, name: str, tag: str, arguments: Sequence[str], prefix: str, keep: Sequence[bytes],
        replies: Sequence[bytes] | None,
    ) -> None:  # fmt: skip
        super().__init__(name, tag, *arguments, prefix=prefix)
        loop = asyncio.get_running_loop()
        self._keep = tuple(keep)
        self._replies = list(replies) if replies is not None else None
        self._kept: list[Response] = []
        self._codes: dict[str, bytes] = {}
        self.answered: asyncio.Future[Answer] = loop.create_future()
        self.accepted: asyncio.Future[None] = loop.create_future()

    def __str__(self) -> str:
        words = (self.tag, *((self.prefix.strip(),) if self.prefix else ()), self.name, *self.args)
        return " ".join(words)

    def __repr__(self) -> str:
        return f"<{self.tag} {self.name}>"  # the library's shows passwords

    @property
    def futures(self) -> tuple[asyncio.Future[Any], ...]:
        """All that somebody may wait for."""
        return self.answered, self.accepted

    def hear(self, response: Response, status: Status | None) -> None:
        """An untagged response while this command runs."""
        if status is not None:
            if status.code is not None:
                self._codes[status.code] = status.argument
        elif self._keep and response[0].partition(b" ")[2].upper().lstrip(b"0123456789 ").startswith(self._keep):
            self._kept.append(response)

    def go_on(self, wire: Wire) -> bool:
        """A ``+``: send the next reply; False where none was expected."""
        if self._replies is None or (self.accepted.done() and not self._replies):
            return False
        if self._replies:
            wire.write(self._replies.pop(0) + CRLF)
        give(self.accepted, None)
        return True

    def end(self, status: Status) -> None:
        """The tagged answer."""
        if status.code is not None:
            self._codes[status.code] = status.argument
        give(self.answered, Answer(status, self._kept, self._codes))
        give(self.accepted, None)


def give(future: asyncio.Future[T], value: T) -> None:
    """Set the result; whoever was to have it may be cancelled in this very moment."""
    if not future.done():
        future.set_result(value)
