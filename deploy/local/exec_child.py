"""Becomes the command it is given, after tying its life to the parent's.

`python exec_child.py PARENT_PID COMMAND…`: asks the kernel for SIGKILL when the parent dies (prctl(2),
PR_SET_PDEATHSIG, kept over execve), so that even a killed runner leaves nothing behind. Imports as little as it can.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def follow(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process `number` when its parent dies; end now when it died before that."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the parent is gone already")


def main() -> None:
    """Follow the parent, become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    follow(parent, signal.SIGKILL)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
