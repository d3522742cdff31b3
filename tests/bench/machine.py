"""What the machine did during a window: CPU of our process trees, memory, and the cores others used meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Window:
    """One measured window: `cpu_s` is user + system seconds by name, `others_cores` the cores nobody of ours used."""

    wall_s: float
    cpu_s: Mapping[str, float]
    others_cores: float

    @property
    def total_cpu_s(self) -> float:
        """CPU seconds of all named trees."""
        return sum(self.cpu_s.values())


class Meter:
    """Measures named process trees from `start` to `stop`.

    `counted` are the trees whose CPU is reported (our services, Kafka, mongod), `ours` further trees that are part of
    the run but not of the product (the load, the sink): they are only kept out of `others_cores`.
    """

    def __init__(self, counted: Mapping[str, int], ours: Iterable[int] = ()) -> None:
        self._counted = dict(counted)
        self._ours = [pid for pid in ours if pid not in self._counted.values()]

    def start(self) -> None:
        """Begin a window."""
        self._began = time.monotonic()
        self._busy = busy_cpu_s()
        self._before = {name: tree_cpu_s(pid) for name, pid in self._counted.items()}
        self._beside = sum(own_cpu_s(pid) for pid in self._ours)

    def stop(self) -> Window:
        """End the window; a process that died meanwhile counts what it used before the window as zero."""
        wall = time.monotonic() - self._began
        used = {name: max(0.0, tree_cpu_s(pid) - self._before[name]) for name, pid in self._counted.items()}
        beside = sum(own_cpu_s(pid) for pid in self._ours) - self._beside
        others = busy_cpu_s() - self._busy - sum(used.values()) - beside
        return Window(wall, used, max(0.0, others) / wall)


def busy_cpu_s() -> float:
    """CPU seconds all cores were busy since boot (no idle, no waiting for disks)."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def tree_cpu_s(root: int) -> float:
    """User + system seconds of a process, its living descendants and the dead ones that were waited for."""
    return sum(_cpu_s(process) for process in _tree(root))


def own_cpu_s(pid: int) -> float:
    """User + system seconds of one process alone (its children may be counted by name)."""
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def tree_mb(root: int) -> float:
    """Resident megabytes (10^6) of a process and its descendants."""
    total = 0.0
    for process in _tree(root):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss / 1e6
    return total


def _tree(root: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(root)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
