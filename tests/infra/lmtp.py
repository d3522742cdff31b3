"""A small LMTP client (RFC 2033): one connection, one mail after the other."""

from __future__ import annotations

import asyncio


class Lmtp:
    """One connection, one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Lmtp:
        """Connect on loopback and say LHLO. Raises OSError."""
        client = cls(*await asyncio.open_connection("127.0.0.1", port, limit=1024 * 1024))
        await client._reply()
        await client._say(b"LHLO test")
        return client

    async def deliver(self, to: str, octets: bytes, sender: str = "sender@elsewhere.test") -> bool:
        """Deliver one mail; False where the recipient or the mail is refused."""
        await self._say(f"MAIL FROM:<{sender}>".encode())
        if await self._say(f"RCPT TO:<{to}>".encode()) >= 300 or await self._say(b"DATA") >= 400:
            await self._say(b"RSET")
            return False
        text = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        stuffed = (b"\r\n" + text).replace(b"\r\n.", b"\r\n..")[2:]
        self._writer.write(stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"))
        await self._writer.drain()
        return await self._reply() < 300

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _say(self, line: bytes) -> int:
        self._writer.write(line + b"\r\n")
        return await self._reply()

    async def _reply(self) -> int:
        while True:
            line = await self._reader.readline()
            if not line:
                raise ConnectionResetError("LMTP ended")
            if line[3:4] != b"-":
                return int(line[:3])
