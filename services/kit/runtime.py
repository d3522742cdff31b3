"""Running a service: start in order, turn, stop in order, whatever happens.

start:  probes answer -> on_start -> publisher -> consumers -> loops -> ready
SIGTERM: unready -> HTTP of its own ends (requests in flight are answered first: they still need all the rest)
         -> consumers stop (a batch in hand finishes) -> on_stop, last started first -> loops are cancelled
         -> publisher flushes -> exit 0; what outlives ``drain_seconds`` is cancelled
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from services.kit import logs, memory, probes
from services.kit.consume import On, broker, subscribe
from services.kit.dead_letters import Breaker
from services.kit.loops import Loop, Task, keep
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings

log = logs.get_logger()
RETRY_S = 1.0
WATCH_S = 1.0

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Routes:
    """Everything that can wake a service: topics, loops, HTTP."""

    events: tuple[On, ...] = ()
    loops: tuple[Loop | Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Assembly:
    """A composed service. ``http`` is an ASGI application that serves its own probes, or None for the probes alone."""

    name: str
    settings: KitSettings
    routes: Routes
    publisher: Publisher
    readiness: probes.Readiness = field(default_factory=probes.Readiness)
    heartbeat: probes.Heartbeat = field(default_factory=probes.Heartbeat)
    http: Any = None
    on_start: Sequence[Step] = ()
    on_stop: Sequence[Step] = ()
    drain_seconds: float = 30.0


def main(build: Callable[[], Awaitable[Assembly]]) -> None:
    """Runs the service until SIGTERM or SIGINT; the process ends with 0 after a clean drain."""
    uvloop.run(_main(build))


async def _main(build: Callable[[], Awaitable[Assembly]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await run(await build(), stop)


async def run(assembly: Assembly, stop: asyncio.Event) -> None:
    """Runs one service until ``stop`` is set."""
    settings = assembly.settings
    logs.configure(assembly.name, settings.instance, settings.log_level)
    assembly.readiness.set("started", False, "starting")
    serving = asyncio.create_task(_serve(assembly, settings.http_host, settings.http_port))
    beside = [asyncio.create_task(assembly.heartbeat.run()), asyncio.create_task(memory.tidy())]
    try:
        await _until(stop, _turn(assembly, stop, serving), serving)
    finally:
        await _cancel([*beside, serving])
    log.info("stopped")


async def _serve(assembly: Assembly, host: str, port: int) -> None:
    if assembly.http is None:
        await probes.serve(probes.answers(assembly.readiness, assembly.heartbeat), host, port)
    else:
        from services.kit import http_server  # loaded by the one service that needs it

        await http_server.serve(assembly.http, host, port)


async def _until(stop: asyncio.Event, turning: Coroutine[Any, Any, None], serving: asyncio.Task[None]) -> None:
    """Lets the service turn; when its HTTP ends before it (a taken port), the service ends with that error."""
    turn = asyncio.create_task(turning)
    done, _ = await asyncio.wait({turn, serving}, return_when=asyncio.FIRST_COMPLETED)
    if serving in done and not turn.done() and not stop.is_set():
        stop.set()
        turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turn
        serving.result()
        raise RuntimeError("the HTTP server ended by itself")
    await turn


async def _turn(assembly: Assembly, stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    for step in assembly.on_start:
        await step()
    if not await _connected(assembly.publisher.start, stop):
        return
    loops = [asyncio.create_task(keep(loop, assembly.readiness)) for loop in assembly.routes.loops]
    kafka, breakers = _consumers(assembly)
    try:
        if await _connected(kafka.start, stop):
            memory.settle()
            assembly.readiness.set("started", True)
            log.info("started", consumers=len(breakers), loops=len(loops))
            watching = asyncio.create_task(_watch(assembly, breakers))
            await stop.wait()
            await _cancel([watching])
        assembly.readiness.set("started", False, "draining")
    finally:
        await _drain(assembly, kafka, loops, serving)


async def _drain(
    assembly: Assembly, kafka: KafkaBroker, loops: list[asyncio.Task[None]], serving: asyncio.Task[None]
) -> None:
    log.info("draining")
    try:
        async with asyncio.timeout(assembly.drain_seconds):
            if assembly.http is not None:
                await _cancel([serving])
            await kafka.stop()
            for step in reversed(assembly.on_stop):
                await step()
            await _cancel(loops)
            await assembly.publisher.stop()
    except TimeoutError:
        log.error("drain_cut_short", seconds=assembly.drain_seconds)
        await _cancel(loops)


def _consumers(assembly: Assembly) -> tuple[KafkaBroker, list[Breaker]]:
    kafka = broker(assembly.settings, assembly.name)
    publisher = assembly.publisher
    breakers = [subscribe(kafka, assembly.settings, assembly.name, on, publisher) for on in assembly.routes.events]
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, _resume, breakers)
    return kafka, breakers


def _resume(breakers: Sequence[Breaker]) -> None:
    for breaker in breakers:
        breaker.resume()


async def _connected(start: Step, stop: asyncio.Event) -> bool:
    """Tries until Kafka is there; False when the service is told to stop meanwhile."""
    while not stop.is_set():
        try:
            await start()
        except (KafkaError, OSError) as error:
            log.warning("kafka_not_there", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_S)
        else:
            return True
    return False


async def _watch(assembly: Assembly, breakers: Sequence[Breaker]) -> None:
    while True:
        for breaker in breakers:
            assembly.readiness.set(f"breaker:{breaker.name}", not breaker.open, "open" if breaker.open else "")
        await asyncio.sleep(WATCH_S)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
