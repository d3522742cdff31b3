"""The inside of a killable child process: take a request, answer it, die of the first one that costs too much.

Imports next to nothing, because every child pays for it. Wire format, both ways, over the socket inherited from the
parent: four bytes of length (big endian), then that many bytes; an answer starts with one status byte. Arguments:
`python -m <module> <socket fd> <progress fd> <parent pid> <seconds> <memory bytes> <output bytes>`. The progress file
is one shared page whose first four bytes count the requests begun, so that the parent knows which one killed us.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import struct
import sys
import time
from collections.abc import Callable

OK, RAISED, TOO_LONG, OUT_OF_MEMORY = b"\x00", b"\x01", b"\x02", b"\x03"
LENGTH = struct.Struct(">I")
BEGUN = struct.Struct("=I")
_PR_SET_PDEATHSIG = 1
_CHUNK = 65_536
_KEEP_S = 0.005

Handler = Callable[[bytes], bytes]


def serve(handler: Handler) -> None:
    """Answer requests until the parent closes the socket or dies; call it under `if __name__ == "__main__"`.

    What the handler raises goes back as the exception's type name; after MemoryError the process ends.
    """
    sock, progress, parent, seconds, memory, longest = (float(word) for word in sys.argv[1:7])
    _bind_life_to(int(parent))
    _limit(int(memory))
    _Loop(int(sock), int(progress), seconds, int(longest), handler).run()


def _bind_life_to(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's business


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


class _Loop:
    def __init__(self, sock: int, progress: int, seconds: float, longest: int, handler: Handler) -> None:
        self._sock, self._seconds, self._longest, self._handler = sock, seconds, longest, handler
        self._page = mmap.mmap(progress, mmap.PAGESIZE)
        self._begun = 0
        self._inbox, self._outbox, self._since = bytearray(), bytearray(), 0.0

    def run(self) -> None:
        """Read, answer, flush when there is nothing left to answer or answers have waited 5 ms."""
        self._write(LENGTH.pack(0))  # ready
        while True:
            chunk = os.read(self._sock, _CHUNK)
            if not chunk:
                return
            self._inbox += chunk
            self._answer_complete_ones()
            self._flush()

    def _answer_complete_ones(self) -> None:
        start, size = 0, len(self._inbox)
        while size - start >= 4:
            end = start + 4 + LENGTH.unpack_from(self._inbox, start)[0]
            if end > size:
                break
            self._answer(bytes(memoryview(self._inbox)[start + 4 : end]))
            start = end
        del self._inbox[:start]

    def _answer(self, request: bytes) -> None:
        self._begun = (self._begun + 1) & 0xFFFFFFFF
        BEGUN.pack_into(self._page, 0, self._begun)
        # SIGPROF is left at its default, which ends the process even inside native code.
        signal.setitimer(signal.ITIMER_PROF, self._seconds)
        answer = self._run(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        now = time.monotonic()
        self._since = self._since if self._outbox else now
        self._outbox += LENGTH.pack(len(answer)) + answer
        if answer[:1] == OUT_OF_MEMORY:
            self._flush()
            os._exit(0)
        if now - self._since > _KEEP_S or len(self._outbox) > _CHUNK:
            self._flush()

    def _run(self, request: bytes) -> bytes:
        try:
            answer = self._handler(request)
            return TOO_LONG if len(answer) > self._longest else OK + answer
        except MemoryError:
            return OUT_OF_MEMORY
        except Exception as error:  # the caller gets the type; the message may quote the input
            return RAISED + type(error).__name__.encode()

    def _flush(self) -> None:
        if self._outbox:
            self._write(self._outbox)
            self._outbox = bytearray()

    def _write(self, content: bytes | bytearray) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self._sock, view) :]
