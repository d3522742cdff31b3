"""What an IMAP server sends, cut into responses: text and literals alternating. No I/O, one pass, no recursion.

aioimaplib's own parser recurses for each line (a slice of 3,000 messages ends in RecursionError), joins a FETCH again
and again, and deletes every ``* `` inside a line (FINDINGS).

    b'* 3 FETCH (UID 7 BODY[]<0> {5}\\r\\nhello)\\r\\n'   ->   [b'* 3 FETCH (UID 7 BODY[]<0> {5}', b'hello', b')']
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LINE: Final = 1024 * 1024
"""A SEARCH over 100,000 messages answers with one line of 700 KB."""
PARTS: Final = 64
"""More than any answer to what we ask has."""
_LITERAL: Final = re.compile(rb"\{(\d{1,10})\+?\}\Z")
_MAY_HOLD_ONE: Final = re.compile(rb"\* (?!(?:OK|NO|BAD|BYE|PREAUTH)\b)", re.IGNORECASE)

Response = list[bytes]
"""Text at even places, literals at odd ones; text without the line's end."""


class Garbled(Exception):
    """What arrived is no IMAP, or more of it than was agreed; the message never quotes the server."""


class Responses:
    """The responses of one connection, from whatever pieces arrive.

    ``most`` is the largest literal that is taken; whoever asks for more says so before.
    """

    __slots__ = ("_line", "_literal", "_missing", "_parts", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.clear()

    def clear(self) -> None:
        """Forget what is incomplete (RFC 9051 section 6.2.1: nothing before the TLS handshake may count)."""
        self._line, self._literal = bytearray(), bytearray()
        self._missing = 0
        self._parts: Response = []

    def feed(self, data: bytes) -> Iterator[Response]:
        """The responses that are whole now. Whoever stops iterating drops the rest of ``data``. Raises Garbled."""
        at = 0
        while at < len(data):
            if self._missing:
                at = self._take_literal(data, at)
                continue
            end = data.find(b"\n", at)
            if end < 0:
                self._keep(data[at:])
                return
            whole = self._take_line(data[at:end])
            at = end + 1
            if whole:
                response, self._parts = self._parts, []
                yield response

    def _take_literal(self, data: bytes, at: int) -> int:
        piece = data[at : at + self._missing]
        self._missing -= len(piece)
        if self._missing:
            self._literal += piece
        else:
            self._parts.append(bytes(self._literal) + piece if self._literal else piece)
            self._literal = bytearray()
        return at + len(piece)

    def _take_line(self, text: bytes) -> bool:
        """Whether the response ends with this line."""
        if self._line:
            self._keep(text)
            text, self._line = bytes(self._line), bytearray()
        line = text.removesuffix(b"\r")
        self._parts.append(line)
        if not line.endswith(b"}") or not _MAY_HOLD_ONE.match(self._parts[0]):
            return True
        found = _LITERAL.search(line)
        if found is not None:
            self._announce(int(found[1]))
        return found is None

    def _announce(self, size: int) -> None:
        if size > self.most or len(self._parts) > PARTS:
            raise Garbled("a literal larger than was asked for")
        self._missing = size
        if not size:
            self._parts.append(b"")

    def _keep(self, piece: bytes) -> None:
        self._line += piece
        if len(self._line) > LINE:
            raise Garbled("a line without end")
