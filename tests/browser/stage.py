"""The console on a gateway in memory, over real HTTP: every state of DESIGN section 3 without waiting for it.

    with Stage() as stage: stage.url

Sign in as Ana (administrator), Joana (supervisor) or Rui (operator); `stage.run(coroutine)` changes the world.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar
from unittest.mock import patch

import uvicorn
from starlette.applications import Starlette

from deploy.local import sockets
from deploy.local.issuer import OPERATOR_SCOPES, OWNER_SCOPES, SUPERVISOR_SCOPES
from services.gateway.adapters.http_app import application
from services.gateway.adapters.rest import Door
from services.gateway.console import door
from services.gateway.console.mount import Console, Sign
from services.gateway.console.people import Person
from services.gateway.domain.who import Principal
from services.gateway.routes import endpoints
from tests.browser.scenery import JOANA, Scenery
from tests.unit.gateway.world import ANA, RUI, TENANT, World, token, tokens

T = TypeVar("T")
SEALED_BY = (b"k" * 32,)
PEOPLE = (
    Person(id="ana", name="Ana Beatriz Lemos", role="admin", tenant=TENANT, operator=ANA, scope=" ".join(OWNER_SCOPES)),
    Person(id="rui", name="Rui Couto", role="operator", tenant=TENANT, operator=RUI, scope=" ".join(OPERATOR_SCOPES)),
    Person(
        id="joana", name="Joana Kühl", role="supervisor", tenant=TENANT, operator=JOANA,
        scope=" ".join(SUPERVISOR_SCOPES),
    ),
)  # fmt: skip


async def token_here(person: Person, url: str) -> str:
    """Instead of the local issuer."""
    return token(*person.scope.split(), tenant=person.tenant, sub=person.id, operator=person.operator)


class Stage:
    """One gateway in a thread of its own."""

    def __init__(self, support: str = "https://support.test/") -> None:
        self.port = sockets.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.world: World
        self.scenery: Scenery
        self.tokens = tokens()
        self._support, self._ready = support, threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30), "the stage did not come up"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def sign(self) -> Sign:
        """How people sign in."""
        return Sign(SEALED_BY, None, PEOPLE, "http://issuer.test/token", self._support)

    def config(self, app: Starlette) -> uvicorn.Config:
        """How it is served."""
        return uvicorn.Config(app, "127.0.0.1", self.port, log_level="warning", timeout_graceful_shutdown=1)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something in the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def principal(self, person: str = "ana") -> Principal:
        """As the console knows this person."""
        one = next(one for one in PEOPLE if one.id == person)
        return Principal(one.tenant, one.id, one.operator, frozenset(one.scope.split()))

    def _serve(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.scenery = await Scenery.make()
        self.world = self.scenery.world
        table, held = endpoints(self.world.use), self.tokens
        app = Console(table, held, self.sign()).attach(application(Door(held), table))
        self._server = uvicorn.Server(self.config(app))
        with patch.object(door, "token_of", token_here):
            serving = asyncio.ensure_future(self._server.serve())
            while not self._server.started:
                await asyncio.sleep(0.01)
            self._ready.set()
            await serving
        await self.scenery.renderer.close()
