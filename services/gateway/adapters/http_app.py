"""The HTTP application: endpoints, probes, and problems for what no endpoint answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.gateway.adapters.endpoint import Endpoint
from services.gateway.adapters.problems import problem
from services.gateway.adapters.rest import Door
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused

NOT_ALLOWED: Final = Refused(Code.METHOD_NOT_ALLOWED, "This method does nothing here. See /openapi.json.")
DOCUMENT: Final = "/openapi.json"


class Front(Starlette):
    """Starlette's router for paths with ids in them; a route whose path is fixed is answered at once.

    Router and middlewares took half of the time of a send, and do nothing for routes that read the request themselves.
    """

    def __init__(self, door: Door, endpoints: Sequence[Endpoint], probes: Sequence[Route]) -> None:
        self._endpoints, self._document = endpoints, b""
        self.fixed: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {}
        routes = [Route(DOCUMENT, self._describe, methods=["GET"])]
        for endpoint in endpoints:
            answer = door.serve(endpoint)
            if "{" not in endpoint.path:
                self.fixed[endpoint.method, endpoint.path] = answer
            routes.append(_route(endpoint, answer))
        super().__init__(routes=[*routes, *probes], exception_handlers={HTTPException: _unanswered})
        self.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        answer = self.fixed.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if answer is None:
            await super().__call__(scope, receive, send)
            return
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """The document of all endpoints.

        FastAPI writes it, and comes with the first who asks: that is rare, and it is a tenth of an idle gateway.
        """
        from services.gateway.adapters.openapi import describe

        return describe(self._endpoints)

    async def _describe(self, _: Request) -> Response:
        """In a thread: requests are answered meanwhile."""
        if not self._document:
            self._document = json.dumps(await asyncio.to_thread(self.openapi), ensure_ascii=False).encode()
        return Response(self._document, media_type="application/json")


def application(door: Door, endpoints: Sequence[Endpoint], probes: Sequence[Route] = ()) -> Front:
    """Everything the gateway answers over HTTP."""
    return Front(door, endpoints, probes)


def _route(endpoint: Endpoint, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    """Exactly its method: Starlette would add HEAD to each GET."""
    route = Route(endpoint.path, answer, methods=[endpoint.method])
    route.methods = {endpoint.method}
    return route


async def _unanswered(_: Request, error: Exception) -> Response:
    """Unknown paths look like unknown ids."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(NOT_ALLOWED if status == 405 else NOT_FOUND)
