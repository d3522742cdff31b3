"""The instant sink: the least work that is still SMTP and still writes down what came.

It answers everything with yes, in one write per packet, and notes one `answered` entry per message (digest,
Message-ID, size). With `delays["final"]` only the reply to the final dot waits; nothing behind it is looked at
meanwhile, so replies keep their order.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from tests.infra.smtp_peer.conversation import World
from tests.infra.smtp_peer.records import digest

_END = b"\r\n.\r\n"
_REPLIES = {
    b"RSET": b"250 2.0.0 ok\r\n",
    b"NOOP": b"250 2.0.0 ok\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
    b"DATA": b"354 go\r\n",
}
_OK = b"250 2.0.0 ok\r\n"


class SinkProtocol(asyncio.Protocol):
    """One connection to the sink."""

    def __init__(self, world: World, connection: int) -> None:
        self._world = world
        self._connection = connection
        self._buffer = bytearray()
        self._in_content = False
        self._asked = self._bye = False
        self._held: asyncio.TimerHandle | None = None
        self._sender = ""
        self._recipients: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(f"220 {self._world.settings.hostname} ESMTP sink\r\n".encode())

    def data_received(self, received: bytes) -> None:
        """Take what came and answer all of it with one write."""
        self._buffer += received
        if self._held is None:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note content that was cut."""
        if self._held:
            self._held.cancel()
            self._note("answered", bytes(self._waiting), code=0, sent=False)
        elif self._in_content:
            self._note("partial", bytes(self._buffer))

    def _go_on(self) -> None:
        replies = bytearray()
        while self._held is None and (self._take_content(replies) if self._in_content else self._take_line(replies)):
            pass
        if replies and not self._transport.is_closing():
            self._transport.write(bytes(replies))
        if self._bye:
            self._transport.close()

    def _take_line(self, replies: bytearray) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        replies += self._answer(line)
        return True

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if self._asked:
            self._asked = False
            return b"235 2.7.0 welcome\r\n"
        if verb == b"MAIL":
            self._sender = _address(line)
            self._recipients = []
            return _OK
        if verb == b"RCPT":
            self._recipients.append(_address(line))
            return _OK
        if verb == b"DATA":
            self._in_content = True
        self._bye = verb == b"QUIT"
        if verb == b"EHLO":
            return self._offers()
        if verb == b"AUTH":
            self._asked = line.count(b" ") < 2
            return b"334 \r\n" if self._asked else b"235 2.7.0 welcome\r\n"
        return _REPLIES.get(verb, b"502 5.5.2 unknown\r\n")

    def _offers(self) -> bytes:
        said = [self._world.settings.hostname, "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 30000000"]
        said += ["PIPELINING"] if self._world.settings.pipelining else []
        return "".join(f"250-{one}\r\n" for one in said).encode() + b"250 AUTH PLAIN\r\n"

    def _take_content(self, replies: bytearray) -> bool:
        end = self._buffer.find(_END)
        if end < 0:
            return False
        content = bytes(self._buffer[: end + 2])
        del self._buffer[: end + len(_END)]
        self._in_content = False
        if delay := self._world.settings.delays.get("final", 0.0):
            self._waiting = content
            self._held = asyncio.get_running_loop().call_later(delay, self._release)
            return False
        self._note("answered", content, code=250, sent=True)
        replies += _OK
        return True

    def _release(self) -> None:
        self._held = None
        self._note("answered", self._waiting, code=250, sent=True)
        self._transport.write(_OK)
        self._go_on()

    def _note(self, event: str, content: bytes, **fields: Any) -> None:
        number = next(self._world.transmissions)
        envelope = {"sender": self._sender, "recipients": self._recipients}
        self._world.history.write(self._connection, number, event, **digest(content), **envelope, **fields)


def _address(line: bytes) -> str:
    return line[line.find(b"<") + 1 : line.find(b">")].decode("utf-8", "replace")
