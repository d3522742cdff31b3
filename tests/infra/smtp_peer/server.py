"""A peer as a whole: the SMTP listener and, on request, the control listener, in the running loop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from tests.infra.smtp_peer.conversation import World
from tests.infra.smtp_peer.records import History
from tests.infra.smtp_peer.rules import Rule, RuleBook
from tests.infra.smtp_peer.session import Session
from tests.infra.smtp_peer.settings import Settings, Tls
from tests.infra.smtp_peer.sink import SinkProtocol
from tests.infra.smtp_peer.wire import Wire


class Peer:
    """One SMTP server on 127.0.0.1."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connections = count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._wires: set[Wire] = set()
        self._server: asyncio.Server | None = None

    @classmethod
    async def start(
        cls,
        settings: Settings | None = None,
        rules: Iterable[Rule] = (),
        *,
        port: int = 0,
        record: Path | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Peer:
        """Listen; port 0 takes a free one. `context` is the server's TLS context; TLS without it is a ValueError."""
        settings = settings or Settings()
        if settings.tls is not Tls.NONE and context is None:
            raise ValueError("TLS needs a certificate")
        world = World(settings, RuleBook(settings.seed), History(record), context)
        world.rules.replace(rules)
        peer = cls(world)
        await peer._listen(port)
        return peer

    async def _listen(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        implicit = self._world.context if self._world.settings.tls is Tls.IMPLICIT else None
        if self._world.settings.instant:
            self._server = await loop.create_server(
                lambda: SinkProtocol(self._world, next(self._connections)), "127.0.0.1", port, ssl=implicit, backlog=512
            )
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=implicit, backlog=512)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._wires.add(wire)
        try:
            secured = self._world.settings.tls is Tls.IMPLICIT
            await Session(self._world, wire, next(self._connections), secured).run()
        except asyncio.CancelledError:
            wire.cut()
        finally:
            self._tasks.discard(task)
            self._wires.discard(wire)

    @property
    def port(self) -> int:
        """The SMTP port."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def history(self) -> History:
        """Everything written down so far."""
        return self._world.history

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._world.settings

    def script(self, *rules: Rule) -> None:
        """Put these rules in force instead of the earlier ones."""
        self._world.rules.replace(rules)

    def change(self, settings: Settings) -> None:
        """Put other settings in force for what comes next; `tls: implicit` and `instant` stay as they were started."""
        self._world.settings = settings

    def sever(self) -> int:
        """Reset every open connection (not those of the instant sink); returns how many."""
        for wire in self._wires:
            wire.cut()
        return len(self._wires)

    async def stop(self) -> None:
        """Close the listener, cut what is open and close the files."""
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._world.history.close()
