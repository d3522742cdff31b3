"""Serving an ASGI application in a service's loop, with the probes among its routes: for the service that has HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.kit.probes import Answer, Heartbeat, Readiness, answers, listen

if sys.modules.get("uvicorn", sys) is None:  # held back from FastStream (services/kit/__init__.py)
    del sys.modules["uvicorn"]
import uvicorn


def routes(readiness: Readiness, heartbeat: Heartbeat) -> list[Route]:
    """The three probes, to be added to any Starlette application."""
    return [Route(path, _endpoint(probe)) for path, probe in answers(readiness, heartbeat).items()]


def _endpoint(probe: Callable[[], Answer]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(_: Request) -> Response:
        found = probe()
        return Response(found.body, found.status, headers={"content-type": found.media_type})

    return endpoint


class _QuietServer(uvicorn.Server):
    """uvicorn without its signal handlers: the service alone decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    application: Any, host: str, port: int, *, sock: socket.socket | None = None, drain_s: int = 5, **options: Any
) -> None:
    """Serve an ASGI application in this loop until cancelled; then requests in flight get `drain_s` seconds to end.

    uvicorn ends the whole process on a taken port, so the socket is bound here first (`listen`; or pass `sock`).
    """
    sock = sock or listen(host, port)
    settings = {
        "log_config": None, "access_log": False, "lifespan": "off", "ws": "none", "server_header": False,
        "proxy_headers": False, **options,
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
