"""The FastAPI application: endpoints, probes, and problems for what no endpoint answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.gateway.adapters.endpoint import Endpoint
from services.gateway.adapters.openapi import describe, operation
from services.gateway.adapters.problems import problem
from services.gateway.adapters.rest import Door
from services.gateway.domain.refusal import NOT_FOUND, Code, Refused

NOT_ALLOWED: Final = Refused(Code.METHOD_NOT_ALLOWED, "This method does nothing here. See /openapi.json.")


def application(door: Door, endpoints: Sequence[Endpoint], probes: Sequence[Route] = ()) -> FastAPI:
    """Everything the gateway answers over HTTP."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False)
    for endpoint in endpoints:
        app.add_api_route(
            endpoint.path, door.serve(endpoint), methods=[endpoint.method], response_model=None, **operation(endpoint)
        )
    app.router.routes.extend(probes)
    app.add_exception_handler(HTTPException, _unanswered)
    described: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not described:
            described.update(describe(app.routes, endpoints))
        return described

    app.openapi = openapi  # type: ignore[method-assign]
    return app


async def _unanswered(_: Request, error: Exception) -> Response:
    """Unknown paths look like unknown ids."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return problem(NOT_ALLOWED if status == 405 else NOT_FOUND)
