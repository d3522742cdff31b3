"""A line-and-chunk view on one connection that can turn to TLS in the middle."""

from __future__ import annotations

import asyncio
import ssl

LINE_LIMIT = 16_384
CHUNK = 65_536


class Gone(Exception):
    """The other side closed or the line broke."""


class Wire:
    """Reads lines and content from one buffer, so that nothing pipelined behind a command is lost."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()

    async def line(self) -> bytes:
        """The next line without its end; raises Gone at the end of the connection or above LINE_LIMIT octets."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_LIMIT:
                raise Gone("line too long")
            await self._fill()
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    async def chunk(self) -> bytes:
        """Whatever has arrived, at least one octet; raises Gone at the end of the connection."""
        if not self._buffer:
            await self._fill()
        piece = bytes(self._buffer)
        self._buffer.clear()
        return piece

    def give_back(self, rest: bytes) -> None:
        """Put octets back that belong to the next command."""
        self._buffer[:0] = rest

    async def _fill(self) -> None:
        try:
            piece = await self._reader.read(CHUNK)
        except (OSError, ssl.SSLError) as broken:
            raise Gone(type(broken).__name__) from broken
        if not piece:
            raise Gone("closed by the client")
        self._buffer += piece

    async def say(self, text: str) -> None:
        """Send one reply; raises Gone when nobody takes it."""
        try:
            self._writer.write(text.encode() + b"\r\n")
            await self._writer.drain()
        except (OSError, ssl.SSLError) as broken:
            raise Gone(type(broken).__name__) from broken

    async def secure(self, context: ssl.SSLContext) -> None:
        """Turn to TLS, dropping what was pipelined in clear text (RFC 3207 section 6); raises Gone when it fails."""
        self._buffer.clear()
        try:
            await self._writer.start_tls(context)
        except (OSError, ssl.SSLError, TimeoutError) as broken:
            raise Gone(type(broken).__name__) from broken

    async def wait_for_close(self) -> None:
        """Answer nothing and read nothing more into account until the client gives up."""
        while await self._reader.read(CHUNK):
            pass

    def cut(self) -> None:
        """Reset the connection at once (RST, no goodbye)."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Close in an orderly way."""
        self._writer.close()
