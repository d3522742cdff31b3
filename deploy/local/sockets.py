"""Loopback ports: which are free, which are taken, which answer."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Mapping

from deploy.local.infra.ports import InfraError

HOST = "127.0.0.1"
# Below the kernel's ephemeral range: there an outgoing connection may take the port of a killed server before it is
# back, or, dialling a closed port, connect to itself.
_LOW, _HIGH = 18_000, 32_000
_given: set[int] = set()


def is_free(port: int) -> bool:
    """True when the port can be bound on loopback and nobody listens on it on all interfaces."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on, never given twice by this process, and free over a server's restart."""
    while True:
        port = random.randrange(_LOW, _HIGH)
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def require_free(ports: Mapping[str, int]) -> None:
    """Raises `InfraError` naming every taken port and what it was wanted for."""
    taken = [f"{port} ({name})" for name, port in ports.items() if not is_free(port)]
    if taken:
        raise InfraError(f"taken port: {', '.join(taken)}; free it, or run with PORTS=free to choose others")


async def answers(port: int) -> bool:
    """True when something accepts a connection on the loopback port."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(HOST, port), 1)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def until_answers(port: int, within_s: float, alive: Callable[[], bool]) -> bool:
    """Wait for a listener; False when `alive` turns false or the time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and alive():
        if await answers(port):
            return True
        await asyncio.sleep(0.05)
    return False
