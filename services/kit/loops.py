"""What a service does by itself: at intervals (Loop) or all the time (Task); neither ends by an error."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from services.kit import logs, metrics
from services.kit.probes import Readiness
from services.kit.unavailable import Unavailable

log = logs.get_logger()
failures = metrics.counter("loop_failures", "Runs of a loop that ended in an error.", ["loop"])
BACKOFF_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Loop:
    """``run`` every ``every`` seconds, give or take a tenth."""

    name: str
    run: Callable[[], Awaitable[object]]
    every: float


@dataclass(frozen=True, slots=True)
class Task:
    """``run`` until the service stops; when it ends or fails it is started again after a growing pause."""

    name: str
    run: Callable[[], Awaitable[object]]


async def keep(what: Loop | Task, readiness: Readiness) -> None:
    """Runs it until cancelled."""
    failed = 0
    while True:
        failed = 0 if await _once(what) else failed + 1
        if isinstance(what, Loop):
            await asyncio.sleep(what.every * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
            continue
        readiness.set(f"task:{what.name}", False, "ended, starting again")
        await asyncio.sleep(BACKOFF_S[min(failed, len(BACKOFF_S) - 1)])
        readiness.set(f"task:{what.name}", True)


async def _once(what: Loop | Task) -> bool:
    try:
        await what.run()
    except Unavailable as error:
        log.warning("loop_postponed", loop=what.name, reason=str(error))
    except Exception:
        log.exception("loop_failed", loop=what.name)
    else:
        return True
    failures.labels(what.name).inc()
    return False
