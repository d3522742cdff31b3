"""What an orchestrator asks a service: does its loop turn, can it do its work, what are its figures.

`/livez` 200 while the heartbeat is young, else 503; `/readyz` 200 when every named check holds, else 503 with the
reasons; `/metrics` in Prometheus' format. Services without HTTP of their own serve these and nothing else (`serve`): a
web server would cost each of them four megabytes. The gateway adds `http_server.routes` to its own application.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from services.kit import metrics

OLDEST_BEAT_S = 10.0
_BEAT_S = 1.0
_PATIENCE_S = 5.0


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe says."""

    status: int
    media_type: str
    body: bytes


Probes = Mapping[str, Callable[[], Answer]]
"""The answer of each path, made anew each time."""


def answers(readiness: Readiness, heartbeat: Heartbeat) -> Probes:
    """The three probes."""

    def livez() -> Answer:
        alive = heartbeat.age < OLDEST_BEAT_S
        return _json(alive, {"alive": alive, "beat_age_s": round(heartbeat.age, 3)})

    def readyz() -> Answer:
        return _json(readiness.ready, readiness.report())

    def figures() -> Answer:
        return Answer(200, metrics.CONTENT_TYPE, metrics.render())

    return {"/livez": livez, "/readyz": readyz, "/metrics": figures}


def listen(host: str, port: int) -> socket.socket:
    """A bound listening socket; raises OSError naming the address when the port is taken. Port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}") from error


async def serve(probes: Probes, host: str, port: int, *, sock: socket.socket | None = None) -> None:
    """Serve the probes over HTTP/1.1, one request a connection, until cancelled. Raises OSError (`listen`)."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(head.partition(b"\r\n")[0], probes))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, sock=sock or listen(host, port), limit=16 * 1024)
    async with server:
        await server.serve_forever()


def _response(request_line: bytes, probes: Probes) -> bytes:
    method, _, rest = request_line.decode("latin-1").partition(" ")
    probe = probes.get(rest.partition(" ")[0].partition("?")[0])
    found = probe() if probe else Answer(404, "text/plain", b"not found")
    if method not in ("GET", "HEAD"):
        found = Answer(405, "text/plain", b"GET alone")
    head = (
        f"HTTP/1.1 {found.status} {HTTPStatus(found.status).phrase}\r\ncontent-type: {found.media_type}\r\n"
        f"content-length: {len(found.body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else found.body)


def _json(holds: bool, content: Mapping[str, object]) -> Answer:
    return Answer(200 if holds else 503, "application/json", json.dumps(content).encode())
