"""A line between two parties that a test can cut, heal and slow down: bytes pass on loopback, nothing is looked at."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

from deploy.local import sockets


class Proxy:
    """Listens on ``port`` and passes on to ``target``, which may be set late.

    ``hold_s`` is waited before each piece that the caller sent goes on to the target; answers are not held.
    """

    def __init__(self, target: int = 0) -> None:
        self.port, self.target, self.hold_s = sockets.free_port(), target, 0.0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def heal(self) -> None:
        """Listen, again on the same port."""
        self._server = await asyncio.start_server(self._serve, sockets.HOST, self.port)

    async def cut(self) -> None:
        """Every connection ends, and new ones are refused."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        writers = [writer]
        try:
            there, back = await asyncio.open_connection(sockets.HOST, self.target)
            writers.append(back)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, back, held=True))
                group.create_task(self._pass(there, writer, held=False))
        except (OSError, ExceptionGroup, asyncio.CancelledError):
            pass  # cut: the streams' own callback takes a cancelled handler for an error
        finally:
            self._open.discard(task)
            for one in writers:
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, held: bool) -> None:
        while octets := await reader.read(65_536):
            if held and self.hold_s:
                await asyncio.sleep(self.hold_s)
            writer.write(octets)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof() if writer.can_write_eof() else writer.close()
