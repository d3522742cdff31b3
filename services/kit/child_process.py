"""One killable child process as its parent sees it: start, hand over requests, watch, kill."""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.kit.child_loop import BEGUN, LENGTH, OK, OUT_OF_MEMORY, RAISED, TOO_LONG

Reason = Literal["cpu", "wall", "memory", "output", "raised", "died", "start"]
_ROOT = str(Path(__file__).resolve().parents[2])
_START_S = 30.0
_REAP_S = 1.0
_BUFFER = 1 << 20
_LONGEST_NAME = 200  # an answer that is an exception's name may be longer than the output limit


@dataclass(frozen=True, slots=True)
class Killed:
    """Why a request got no answer: it cost too much `cpu`, `wall` time, `memory` or `output`, its handler `raised` (the
    type is in `detail`), the process `died` of it, or did not `start`."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost: CPU seconds, seconds without progress, address space and answer in bytes."""

    seconds: float
    wall_seconds: float
    memory_bytes: int
    output_bytes: int


class ChildEnded(Exception):
    """The process is gone; `begun` tells how many of the requests handed over last it had begun."""

    def __init__(self, reason: Reason, begun: int) -> None:
        super().__init__(reason)
        self.reason, self.begun = reason, begun


class ChildProcess:
    """`python -m <module>` over a socket pair, with an empty environment and nothing else of ours open."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._limits = limits
        progress = os.memfd_create("progress")
        ours, theirs = socket.socketpair()
        try:
            os.truncate(progress, mmap.PAGESIZE)
            self._page = mmap.mmap(progress, mmap.PAGESIZE)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                _command(module, theirs.fileno(), progress, limits),
                env={"PYTHONPATH": _ROOT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), progress),
            )
        finally:
            os.close(progress)
            theirs.close()
        self._sock = ours
        self._writer: asyncio.StreamWriter | None = None
        self._killed: Reason | None = None
        self.answered = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def connect(self, buffer: int = _BUFFER) -> None:
        """Wait until the child is ready; raises ChildEnded("start") when it does not come up. ``buffer``: octets of
        answers that are read ahead, and as many again."""
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._sock, limit=buffer)
        try:
            async with asyncio.timeout(_START_S):
                await self._reader.readexactly(LENGTH.size)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            await self.end("start")
            raise ChildEnded("start", 0) from None

    async def hand_over(self, requests: Sequence[bytes]) -> AsyncGenerator[bytes | Killed, None]:
        """Yield one answer for each request, in order; raises ChildEnded when the process ends before the last."""
        assert self._writer is not None
        before = self._begun()
        self._watch(before)
        self._writer.write(b"".join(part for request in requests for part in (LENGTH.pack(len(request)), request)))
        try:
            for _ in requests:
                yield await self._next()
                self.answered += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            self._watching.cancel()
            reason = await self.end(None)
            raise ChildEnded(reason, self._begun() - before & 0xFFFFFFFF) from None
        finally:
            self._watching.cancel()

    async def feed(self, piece: bytes) -> None:
        """A piece of a request, as fast as the child takes it; raises ConnectionError when it is gone."""
        assert self._writer is not None
        self._writer.write(piece)
        await self._writer.drain()

    async def take(self, size: int) -> bytes:
        """So many octets of an answer; raises IncompleteReadError or ConnectionError when the child is gone."""
        return await self._reader.readexactly(size)

    async def _next(self) -> bytes | Killed:
        size = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))[0]
        if size > self._limits.output_bytes + _LONGEST_NAME:  # it would have said so itself: believe nothing more
            self._kill("output")
            raise ConnectionResetError
        return outcome(await self._reader.readexactly(size))

    def _watch(self, begun: int) -> None:
        """Kill a child that begins nothing new for the wall time, from here until the hand-over ends."""
        loop = asyncio.get_running_loop()
        self._watching = loop.call_later(self._limits.wall_seconds, self._look, begun)

    def _look(self, begun: int) -> None:
        if begun == self._begun():
            self._kill("wall")
        else:
            self._watch(self._begun())

    def _begun(self) -> int:
        return int(BEGUN.unpack_from(self._page)[0])

    def _kill(self, reason: Reason) -> None:
        self._killed = self._killed or reason
        self._process.kill()

    async def end(self, reason: Reason | None) -> Reason:
        """Close and reap the process; kill it when a reason is given. Returns what it died of."""
        if reason:
            self._kill(reason)
        if self._writer is None:
            self._sock.close()
        else:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
        code = await asyncio.to_thread(self._reap)
        return self._killed or _reason(code)

    def _reap(self) -> int:
        try:
            return self._process.wait(_REAP_S)
        except subprocess.TimeoutExpired:  # it closed the socket and lives on
            self._process.kill()
            return self._process.wait()


def _command(module: str, sock: int, progress: int, limits: Limits) -> list[str]:
    words = (sock, progress, os.getpid(), limits.seconds, limits.memory_bytes, limits.output_bytes)
    # Without the columns of its code a child is half a megabyte smaller; nobody reads its tracebacks.
    return [sys.executable, "-P", "-s", "-X", "no_debug_ranges", "-m", module, *map(str, words)]


def outcome(answer: bytes) -> bytes | Killed:
    """What an answer with its status says."""
    status, content = answer[:1], answer[1:]
    if status == OK:
        return content
    if status == RAISED:
        return Killed("raised", content.decode("ascii", "replace")[:100])
    return Killed({TOO_LONG: "output", OUT_OF_MEMORY: "memory"}.get(status, "died"))  # type: ignore[arg-type]


def _reason(code: int) -> Reason:
    return {-signal.SIGPROF: "cpu", -signal.SIGABRT: "memory"}.get(code, "died")  # type: ignore[return-value]
