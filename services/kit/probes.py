"""What an orchestrator asks a service: does its loop turn, can it do its work, what are its figures.

`/livez` 200 while the heartbeat is young, else 503; `/readyz` 200 when every named check holds, else 503 with the
reasons; `/metrics` in Prometheus' format. Services without HTTP of their own serve `app(…)`; the gateway adds
`routes(…)` to its own application.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.kit import metrics

OLDEST_BEAT_S = 10.0
_BEAT_S = 1.0


class Readiness:
    """Named conditions, each true or false with a reason; ready when all hold; those named here start false."""

    def __init__(self, *names: str) -> None:
        self._checks: dict[str, tuple[bool, str]] = dict.fromkeys(names, (False, "starting"))

    def set(self, name: str, holds: bool, why: str = "") -> None:
        """Note a condition; the reason is for the platform's operators and names no tenant, address or secret."""
        self._checks[name] = (holds, why)

    @property
    def ready(self) -> bool:
        """Whether every condition holds."""
        return all(holds for holds, _ in self._checks.values())

    def report(self) -> dict[str, object]:
        """What `/readyz` answers."""
        checks = {name: {"ok": holds, "why": why} for name, (holds, why) in sorted(self._checks.items())}
        return {"ready": self.ready, "checks": checks}


class Heartbeat:
    """A task that notes once a second that the loop turned; `age` is how long ago that was, in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()

    @property
    def age(self) -> float:
        """Seconds since the last beat."""
        return self._now() - self._last

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._last = self._now()
            await asyncio.sleep(_BEAT_S)
            metrics.loop_lag_seconds.observe(max(0.0, self.age - _BEAT_S))


def routes(readiness: Readiness, heartbeat: Heartbeat) -> list[Route]:
    """The three routes, to be added to any Starlette or FastAPI application."""

    async def livez(_: Request) -> Response:
        alive = heartbeat.age < OLDEST_BEAT_S
        return JSONResponse({"alive": alive, "beat_age_s": round(heartbeat.age, 3)}, 200 if alive else 503)

    async def readyz(_: Request) -> Response:
        return JSONResponse(readiness.report(), 200 if readiness.ready else 503)

    async def figures(_: Request) -> Response:
        return Response(metrics.render(), headers={"content-type": metrics.CONTENT_TYPE})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", figures)]


def app(readiness: Readiness, heartbeat: Heartbeat) -> Starlette:
    """An application of nothing but the probes."""
    return Starlette(routes=routes(readiness, heartbeat))


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the service alone decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A bound listening socket; raises OSError naming the address when the port is taken. Port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}") from error


async def serve(
    application: Any, host: str, port: int, *, sock: socket.socket | None = None, drain_s: int = 5, **options: Any
) -> None:
    """Serve an ASGI application in this loop until cancelled; then requests in flight get `drain_s` seconds to end.

    uvicorn ends the whole process on a taken port, so the socket is bound here first (`listen`; or pass `sock`).
    """
    sock = sock or listen(host, port)
    settings = {
        "log_config": None, "access_log": False, "lifespan": "off", "ws": "none", "server_header": False, **options,
    }  # fmt: skip
    server = _QuietServer(uvicorn.Config(application, timeout_graceful_shutdown=drain_s, **settings))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    finally:
        sock.close()
