"""Child processes that never outlive their parent, each with a log file and a process group of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WRAPPER = Path(__file__).with_name("exec_child.py")
POLL_S = 0.03


@dataclass(slots=True)
class Child:
    """One running command; `log` holds both of its streams, appended over restarts."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The command's own process id and that of its group: the wrapper was replaced by it."""
        return self.popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; reaps it when it has ended."""
        return self.popen.poll()

    def tail(self, lines: int = 12) -> str:
        """The end of the log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def spawn(name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Child:
    """Start a command in a new session, tied to this process's life; `env` is added to ours.

    Only from the main thread: the kernel sends the parent-death signal when the *thread* that forked ends.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread alone")
    log.parent.mkdir(parents=True, exist_ok=True)
    wrapped = [sys.executable, "-I", "-S", str(WRAPPER), str(os.getpid()), *command]
    with log.open("ab") as out:
        popen = subprocess.Popen(
            wrapped,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
    return Child(name, popen, log)


async def ended(child: Child, within_s: float) -> bool:
    """Wait for the end of a child; False when it still runs after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while child.exit_code is None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


async def stop(child: Child, grace_s: float) -> None:
    """SIGTERM, then after `grace_s` SIGKILL for the whole group; what the child left in its group goes too."""
    if child.exit_code is None:
        child.popen.send_signal(signal.SIGTERM)
        await ended(child, grace_s)
    await kill(child)


async def kill(child: Child) -> None:
    """SIGKILL for the whole group; returns when the child is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    await ended(child, 10)
