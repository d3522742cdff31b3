"""A child process that does on request what a hostile input would make a parser do."""

from __future__ import annotations

import os
import re
import signal
import time

from services.kit.child_loop import serve

_held: list[bytes] = []


def answer(request: bytes) -> bytes:
    """Obey one word (`echo`, `spin`, `hog`, …) with its argument."""
    word, _, rest = request.partition(b" ")
    match word:
        case b"spin":
            while True:
                pass
        case b"native":
            re.match("(a+)+$", "a" * 64 + "!")
        case b"sleep":
            time.sleep(float(rest))
        case b"hog":
            while True:
                _held.append(bytes(16 << 20))
        case b"long":
            return b"x" * int(rest)
        case b"raise":
            raise ValueError("LEAK")
        case b"exit":
            os._exit(3)
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"deaf":
            os.closerange(3, 64)
            time.sleep(60)
        case b"pid":
            return str(os.getpid()).encode()
        case b"env":
            return " ".join(sorted(os.environ)).encode()
        case b"fds":
            return str(len(os.listdir("/proc/self/fd")) - 1).encode()
        case b"slow":
            time.sleep(float(rest))
    return rest


if __name__ == "__main__":
    serve(answer)
