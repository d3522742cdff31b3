"""aioimaplib's protocol with its ears replaced: own parser, a budget of octets; a lost connection fails what waits.

Of the library there remain commands (with their check for CR, LF, NUL), tags, quoting and states; what is replaced is
named in FINDINGS, "aioimaplib".
"""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from typing import Any, Final

from aioimaplib.aioimaplib import AUTH, CONNECTED, NONAUTH, IMAP4ClientProtocol

from services.ingest.adapters.imap_answers import Status, read_status
from services.ingest.adapters.imap_asked import Asked, give
from services.ingest.adapters.imap_lines import Garbled, Response, Responses
from services.ingest.adapters.imap_wire import Wire
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import LostConnection

ORDINARY: Final = 1024 * 1024
"""Octets a server may send to one command, and between two; a FETCH is given more."""
RESPONSES: Final = 50_000
"""Responses a server may send to one command, and between two: who expunges more at once is connected to again."""
LITERAL: Final = 64 * 1024
_PUSH: Final = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE)\Z", re.IGNORECASE)


class Hearing(IMAP4ClientProtocol):
    """What arrives on one connection. ``heard``: the mailbox has grown; ``pushed`` wakes who listens.

    EXISTS counts in any response, and only where it says something new: some servers repeat it with every command.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        del self.state_condition, self.idle_queue, self._idle_event  # 5 KB a connection that nobody uses
        self._clock = loop.time
        self._responses = Responses(LITERAL)
        self._budget, self._more = ORDINARY, RESPONSES
        self._asked: Asked | None = None
        self._trouble: Trouble | None = None
        self._ends: asyncio.Future[None] = loop.create_future()
        self._last_octet = loop.time()
        self.greeting: asyncio.Future[Status] = loop.create_future()
        self.stage = Stage.GREETING
        self.exists = 0
        self.heard = False
        self.pushed: asyncio.Future[None] | None = None
        self.offers: frozenset[str] = _known(b"")
        self.wire = Wire(self)
        self.state = CONNECTED

    def data_received(self, d: bytes) -> None:
        """Octets of the server; never formatted, never kept beyond their response."""
        if self._trouble is not None:
            return
        self._last_octet = self._clock()
        self._budget -= len(d)
        try:
            if self._budget < 0:
                raise Garbled("more than was asked for")
            for response in self._responses.feed(d):
                if self._take(response):
                    self._responses.clear()
                    return
        except Garbled as error:
            self.drop(Trouble(self.stage, Sign.GARBLED), str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        self.drop(Trouble(self.stage, Sign.LOST))
        if not self._ends.done():
            self._ends.set_result(None)

    def drop(self, trouble: Trouble, detail: str = "") -> None:
        """The first trouble is the one that is told; every pending call raises it."""
        if self._trouble is None:
            self._trouble = trouble
            self._responses.clear()
            asked, self._asked = self._asked, None
            for future in (self.greeting, *(asked.futures if asked else ())):
                _fail(future, LostConnection(trouble, detail))
            self._push()
        self.wire.abort()

    def allow(self, octets: int, literal: int) -> None:
        """From now on so much may come, and no larger literal."""
        self._budget, self._more, self._responses.most = octets, RESPONSES, literal

    def learn(self, capabilities: bytes) -> None:
        """What the server says it can."""
        self.offers = _known(capabilities)

    def forget(self) -> None:
        """Before TLS: what was said until now is nobody's word."""
        self._responses.clear()
        self.offers = _known(b"")

    def _take(self, response: Response) -> bool:
        """One response; True where nothing that came with it may count (STARTTLS)."""
        first = response[0]
        self._more -= 1
        if self._more < 0:
            raise Garbled("more responses than any command has")
        if first.startswith(b"* "):
            self._untagged(response)
        elif first[:1] == b"+":
            self._continued()
        elif first:
            return self._tagged(first)
        return self._trouble is not None

    def _untagged(self, response: Response) -> None:
        first = response[0]
        if first[2:3].isdigit() and (told := _PUSH.match(first)):
            self._count(int(told[1]), told[2].upper() == b"EXPUNGE")
        status = read_status(first[2:]) if first[2:3] in b"OoNnBbPp" else None
        if not self.greeting.done():
            self._greet(status)
        elif status is not None and status.result == "BYE":
            self._part(status)
        elif self._asked is not None:
            self._asked.hear(response, status)
        if status is None and first[2:13].upper() == b"CAPABILITY ":
            self.learn(first[13:])

    def _greet(self, status: Status | None) -> None:
        if status is None or status.result not in ("OK", "PREAUTH", "BYE"):
            raise Garbled("no greeting")
        if status.result == "BYE":
            return self._part(status)
        self.state = NONAUTH if status.result == "OK" else AUTH
        if status.code == "CAPABILITY":
            self.learn(status.argument)
        give(self.greeting, status)
        return None

    def _part(self, status: Status) -> None:
        """BYE: the answer of LOGOUT, else the end of everything."""
        if self._asked is None or self._asked.name != "LOGOUT":
            self.drop(Trouble(self.stage, Sign.BYE, status.code, status.text))

    def _continued(self) -> None:
        if self._asked is None or not self._asked.go_on(self.wire):
            raise Garbled("a continuation nobody waits for")

    def _tagged(self, line: bytes) -> bool:
        asked, (tag, _, rest) = self._asked, line.partition(b" ")
        status = read_status(rest)
        if asked is None or status is None or tag != asked.tag.encode():
            raise Garbled("an answer to nothing")
        self._asked = None
        self.allow(ORDINARY, LITERAL)
        if status.code == "CAPABILITY":
            self.learn(status.argument)
        asked.end(status)
        return asked.name == "STARTTLS"

    def _count(self, number: int, expunged: bool) -> None:
        if expunged:
            self.exists -= 1
        elif number != self.exists:
            self.exists = number
            self._push()

    def _push(self) -> None:
        self.heard = True
        if self.pushed is not None:
            give(self.pushed, None)


@lru_cache(maxsize=64)
def _known(capabilities: bytes) -> frozenset[str]:
    """The same object for the thousands of connections to servers that say the same."""
    return frozenset(capabilities.decode("ascii", "replace").upper().split())


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # nobody need be waiting for it
