"""The bare HTTP client: keep-alive, whole answers, and a clear word when nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.chaos.http import Broken, Pool

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def listening(serve: Serve) -> tuple[asyncio.Server, Pool]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, Pool(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 2)


async def test_reuses_its_connections_and_reads_json() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            assert b"Content-Length: 8" in head
            assert await reader.readexactly(8) == b'{"a": 1}'
            writer.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 7\r\nETag: "1"\r\n\r\n' + b'{"b":2}')

    server, pool = await listening(serve)
    for _ in range(3):
        answer = await pool.request("POST", "/", {"X": "y"}, {"a": 1})
        assert (answer.status, answer.json(), answer.headers["etag"]) == (202, {"b": 2}, '"1"')
    assert connections == 1
    pool.close()
    server.close()


async def test_a_cut_or_silent_answer_is_broken() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    server, pool = await listening(cut)
    with pytest.raises(Broken):
        await pool.request("GET", "/", {})
    server.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server, pool = await listening(silent)
    with pytest.raises(Broken):
        await pool.request("GET", "/", {}, timeout=0.05)
    server.close()
    with pytest.raises(Broken):
        await pool.request("GET", "/", {})
