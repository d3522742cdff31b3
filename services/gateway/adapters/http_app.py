"""The FastAPI application: endpoints, probes, and problems for what no endpoint answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.gateway.adapters.endpoint import Endpoint
from services.gateway.adapters.openapi import describe, operation
from services.gateway.adapters.problems import problem
from services.gateway.adapters.rest import Door
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused

NOT_ALLOWED: Final = Refused(Code.METHOD_NOT_ALLOWED, "This method does nothing here. See /openapi.json.")


class Front(FastAPI):
    """FastAPI for the document and the routes with ids in their path; a route whose path is fixed is answered at once.

    FastAPI's router and middlewares took half of the time of a send, and do nothing for routes that read the request
    themselves.
    """

    fixed: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        answer = self.fixed.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if answer is None:
            await super().__call__(scope, receive, send)
            return
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)


def application(door: Door, endpoints: Sequence[Endpoint], probes: Sequence[Route] = ()) -> FastAPI:
    """Everything the gateway answers over HTTP."""
    app = Front(docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False)
    app.fixed = {}
    for endpoint in endpoints:
        answer = door.serve(endpoint)
        if "{" not in endpoint.path:
            app.fixed[endpoint.method, endpoint.path] = answer
        app.add_api_route(endpoint.path, answer, methods=[endpoint.method], response_model=None, **operation(endpoint))
    app.router.routes.extend(probes)
    app.add_exception_handler(HTTPException, _unanswered)
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(describe(app.routes, endpoints))
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way
    return app


async def _unanswered(_: Request, error: Exception) -> Response:
    """Unknown paths look like unknown ids."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(NOT_ALLOWED if status == 405 else NOT_FOUND)
