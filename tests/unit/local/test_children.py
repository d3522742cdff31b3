"""A killed runner leaves nothing behind; a stopped child takes its group along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local import children

ROOT = Path(__file__).parents[3]
_RUNNER = """
import sys, time
from pathlib import Path
from deploy.local.children import spawn
child = spawn("sleeper", ["sleep", "60"], Path(sys.argv[1]) / "sleeper.log")
print(child.pid, flush=True)
time.sleep(60)
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _gone(pid: int, within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _alive(pid)


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _RUNNER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as runner:
        assert runner.stdout is not None
        pid = int(runner.stdout.readline())
        assert _alive(pid)
        runner.send_signal(signal.SIGKILL)
    assert _gone(pid)


async def test_stop_takes_what_the_child_left_in_its_group(tmp_path: Path) -> None:
    child = children.spawn("shell", ["sh", "-c", "sleep 60 & echo $!; wait"], tmp_path / "shell.log")
    while not child.log.read_text().strip():
        time.sleep(0.02)
    grandchild = int(child.log.read_text())
    await children.stop(child, 2)
    assert child.exit_code is not None
    assert _gone(grandchild)


async def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    child = children.spawn(
        "deaf", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], tmp_path / "d.log"
    )
    while not child.log.read_text().strip():
        time.sleep(0.02)
    await children.stop(child, 0.2)
    assert child.exit_code == -signal.SIGKILL


def test_the_wrapper_refuses_a_parent_that_is_gone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(children.WRAPPER), "1", "true"], capture_output=True, text=True, check=False
    )
    assert os.getpid() != 1
    assert done.returncode == 1
    assert "gone" in done.stderr
