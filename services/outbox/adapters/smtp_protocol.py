"""aiosmtplib's protocol, taught to keep several replies: what is pipelined is answered in one piece.

The stock protocol drops whatever arrives before its last reply was picked up (5 of 3,000 pipelined messages hung,
FINDINGS), so it is installed before the connection is made and collects n replies in one future. It also remembers
whether it is still *in step*: a byte nobody asked for, or one that is no reply, and the connection is good for nothing.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from typing import Final, cast

from aiosmtplib.errors import SMTPException
from aiosmtplib.protocol import MAX_RESPONSE_LENGTH, SMTPProtocol
from aiosmtplib.response import SMTPResponse

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Collecting:
    """Replies as they come; ``broken`` says why there will be no more ("lost", "timeout", "out_of_step")."""

    wanted: int
    done: asyncio.Future[None]
    replies: list[SMTPResponse] = field(default_factory=list)
    broken: str | None = None

    def end(self, broken: str | None = None) -> None:
        """Wake whoever waits."""
        self.broken = self.broken or broken
        if not self.done.done():
            self.done.set_result(None)


class Conversation(SMTPProtocol):
    """One connection. Greeting, EHLO, STARTTLS and AUTH go the stock way, the rest by ``expect``."""

    in_step: bool = True
    _collecting: Collecting | None = None

    @property
    def usable(self) -> bool:
        """Connected and in step."""
        return self.in_step and self.is_connected

    def expect(self, replies: int) -> Collecting:
        """From now on, until ``wanted`` are there, whatever arrives is one of these replies."""
        self._collecting = Collecting(replies, self._loop.create_future())
        if self._buffer or not self.usable:
            self._break(self._collecting, "lost" if self.in_step else "out_of_step")
        return self._collecting

    def send(self, expected: Collecting, octets: bytes) -> bool:
        """Hand octets to the transport; False where it is closed, and then none of them left."""
        if self.transport is None or self.transport.is_closing():
            self._break(expected, "lost")
            return False
        cast(asyncio.WriteTransport, self.transport).write(octets)
        return True

    async def collected(self, expected: Collecting, timeout: float) -> Collecting:
        """The replies, at the latest after ``timeout`` seconds; where they are not whole it is out of step."""
        timer = self._loop.call_later(timeout, self._break, expected, "timeout")
        try:
            await expected.done
        except BaseException:  # cancelled: the reply would be taken for the next command's
            self.abort()
            raise
        finally:
            timer.cancel()
            self._collecting = None
        return expected

    async def drain(self, timeout: float) -> bool:
        """Wait until the transport takes more; False when it did not in time or the connection is gone."""
        try:
            async with asyncio.timeout(timeout):
                await self._drain_helper()
        except (TimeoutError, OSError):
            return False
        return True

    def data_received(self, data: bytes) -> None:
        """Replies that are collected, or aiosmtplib's own way; what nobody asked for puts it out of step."""
        if self._collecting is None:
            self.in_step = self.in_step and self._response_pending
            super().data_received(data)
            return
        self._buffer.extend(data)
        self._take(self._collecting)

    def _take(self, expected: Collecting) -> None:
        try:
            while len(expected.replies) < expected.wanted and (reply := self._read_response_from_buffer()):
                if not 200 <= reply.code <= 599:
                    return self._break(expected, "out_of_step")
                expected.replies.append(reply)
        except SMTPException:
            return self._break(expected, "out_of_step")
        if len(expected.replies) == expected.wanted:
            self.in_step = self.in_step and not self._buffer
            expected.end()
        elif len(self._buffer) > MAX_RESPONSE_LENGTH:
            self._break(expected, "out_of_step")
        return None

    def _break(self, expected: Collecting, why: str) -> None:
        self.in_step = False
        expected.end(why)

    def eof_received(self) -> bool:
        """The server has finished; so has whoever waits for it."""
        self._end("lost")
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits is told."""
        super().connection_lost(exc)
        self._end("lost")

    def _end(self, why: str) -> None:
        if self._collecting is not None:
            self._break(self._collecting, why)

    def abort(self) -> None:
        """Close so that nothing that is still buffered leaves: neither here nor in the kernel (SO_LINGER 0)."""
        self.in_step = False
        if self.transport is None:
            return
        wire = self.transport.get_extra_info("socket")
        if wire is not None and not self.transport.is_closing():
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        cast(asyncio.WriteTransport, self.transport).abort()
