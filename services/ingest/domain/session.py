"""What a mail server showed, as values; an adapter translates its library into these.

```
(closed) --open--> Opened --fetch_above … --listen--> listening --wait--> Woken | Quiet --> fetch_above …
             |        any --LostConnection-->  (closed)
             +--> NotOpen
```
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from services.ingest.domain.imap_status import Trouble

HEAD_OCTETS: Final = 262_144
"""How much of each mail a slice brings along; the rest is asked for in parts of this size."""
SLICE_UIDS: Final = 200
"""No FETCH names more UIDs: a client's parser and a server's memory are finite."""


@dataclass(frozen=True, slots=True)
class NotOpen:
    """No session could be had, and what was seen (``imap_status.judge`` says what it means). ``detail`` is for logs and
    holds no secret, address or user name."""

    trouble: Trouble
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The mailbox is selected. ``uidvalidity`` None where the server gave none (0 counts as none); ``uidnext`` is asked
    for where SELECT did not tell it (1: empty). ``near``: the server is on a private network, not a foreign one."""

    uidvalidity: int | None
    uidnext: int
    exists: int
    idle: bool = True
    near: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail as the server lists it: octets as RFC822.SIZE has them, INTERNALDATE aware, None where unreadable."""

    uid: int
    size: int
    internaldate: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail and its first octets (at most HEAD_OCTETS), None where the server lists it and gives no body."""

    uid: int
    size: int
    internaldate: datetime | None = None
    head: bytes | None = field(default=None, repr=False)

    @property
    def whole(self) -> bool:
        """Whether the head is all there is: shorter than what was asked for, whatever RFC822.SIZE claims."""
        return self.head is not None and len(self.head) < HEAD_OCTETS


@dataclass(frozen=True, slots=True)
class Woken:
    """Something was heard (EXISTS, EXPUNGE, …): fetch above the cursor."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing was heard for the time given: fetch all the same, pushes are hints."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Octets on their way to a server: so many, piece by piece, once."""

    size: int
    pieces: AsyncIterator[bytes] = field(repr=False)


class LostConnection(Exception):
    """The session is over: closed, timed out, BYE, out of step; ``trouble`` says what was seen."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble.stage} {trouble.sign} {detail}".strip())
        self.trouble, self.detail = trouble, detail
