"""A bare HTTP/1.1 client for load: keep-alive, one request at a time a connection, a tenth of httpx's CPU.

It understands what our gateway sends: a status line, headers, a body by Content-Length. It does not follow, retry or
decompress.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30.0
KEPT_S = 3.0
"""Idle connections are not used again after this long: uvicorn closes them after five seconds."""


Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Broken(Exception):
    """The connection ended or stayed silent: nobody knows whether the request was taken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (names in lower case) and body of one response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None


class Pool:
    """Up to `size` connections to one server."""

    def __init__(self, url: str, size: int = 50) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[tuple[float, Pair]] = []
        self._slots = asyncio.Semaphore(size)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None, timeout: float = TIMEOUT_S
    ) -> Answer:
        """One request; `body` is sent as JSON. Raises Broken when no whole answer came."""
        octets = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}:{self._port}", f"Content-Length: {len(octets)}"]
        lines += ["Content-Type: application/json"] if octets else []
        lines += [f"{name}: {value}" for name, value in headers.items()]
        async with self._slots:
            return await self._exchange("\r\n".join([*lines, "", ""]).encode() + octets, timeout)

    async def _exchange(self, request: bytes, timeout: float) -> Answer:
        try:
            pair = self._living() or await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise Broken(str(error)) from error
        try:
            pair[1].write(request)
            answer = await asyncio.wait_for(_read(pair[0]), timeout)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            pair[1].transport.abort()
            raise Broken(f"{type(error).__name__} {error}") from error
        except asyncio.CancelledError:
            pair[1].transport.abort()
            raise
        if answer.headers.get("connection") == "close":
            pair[1].close()
        else:
            self._idle.append((time.monotonic(), pair))
        return answer

    def _living(self) -> Pair | None:
        """An idle connection the server has not closed and will not close this moment."""
        while self._idle:
            since, pair = self._idle.pop()
            if not pair[0].at_eof() and time.monotonic() - since < KEPT_S:
                return pair
            pair[1].close()
        return None

    def close(self) -> None:
        """Close what is idle."""
        for _, (_, writer) in self._idle:
            writer.close()
        self._idle.clear()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    length = int(headers.get("content-length", "0"))
    return Answer(status, headers, await reader.readexactly(length) if length else b"")
