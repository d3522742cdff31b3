"""The meter: a busy child is ours when it is named, and somebody else's when it is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.bench.machine import Meter, tree_cpu_s, tree_mb
from tests.bench.report import percentile

# Busy for 0.6 s of its own CPU, however long a loaded machine lets it wait for that.
BUSY = "import time\nwhile time.process_time() < 0.6: pass"


def test_a_named_child_is_counted_and_kept_out_of_the_others() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as child:
        named, unnamed = Meter({"child": child.pid}, [os.getpid()]), Meter({"nobody": 2**22 - 1}, [os.getpid()])
        named.start()
        unnamed.start()
        while tree_cpu_s(child.pid) < 0.3:
            time.sleep(0.02)
        ours, others = named.stop(), unnamed.stop()
    assert ours.total_cpu_s > 0.1
    assert others.others_cores - ours.others_cores == pytest.approx(ours.total_cpu_s / ours.wall_s, abs=0.2)
    assert others.total_cpu_s == 0


def test_dead_children_stay_in_the_tree() -> None:
    before = tree_cpu_s(os.getpid())
    subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert tree_cpu_s(os.getpid()) - before > 0.3
    assert tree_mb(os.getpid()) > 10


def test_percentiles_are_values_that_were_seen() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(range(1000), 0.99) == 990
    assert percentile([], 0.5) != percentile([], 0.5)
