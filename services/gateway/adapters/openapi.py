"""The OpenAPI document: everything a client needs, from the same lines that serve."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse, Response

from services.gateway.adapters.endpoint import Endpoint, Streamed, Trait
from services.gateway.adapters.problems import MEDIA_TYPE, Problem
from services.gateway.adapters.rest_settings import RequestResource
from services.gateway.adapters.tokens import TENANT
from services.gateway.domain.conversation import View
from services.gateway.domain.files import LARGEST

VERSION: Final = "1.0.0"
ABOUT: Final = """The e-mail channel of operator desks: connect accounts, write signatures, start conversations, send, \
interrupt.

Tenant, operator and scopes come from the token. Errors are `application/problem+json` (RFC 9457) with a `code`. \
An id that is unknown and one that belongs to somebody else get the same answer. Lists are continued with `cursor`."""
_REF: Final = "#/components/schemas/{model}"
_OCTETS: Final = {"type": "string", "format": "binary"}
_ID: Final = {"type": "string", "format": "uuid"}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
_SHAPES: Final[dict[str, dict[str, Any]]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    "purpose": {"type": "string", "enum": sorted(LARGEST)}, "view": {"type": "string", "enum": list(View)},
    "tenant_id": {"type": "string", "pattern": f"^{TENANT.pattern}$"},
}  # fmt: skip
_IN_PATH: Final = re.compile(r"{(\w+)}")
_DESCRIBED: Final = {201: "Made.", 202: "Accepted; it is stored and goes its way."}
_ABOUT_PARAMETER: Final = {
    "limit": "At most so many items (1 to 200).", "cursor": "The `next` of the list before.",
    "channel_id": "Only conversations of this channel.",
    "view": "all (the usual), unread, mine (I started it or wrote in it) or hidden.",
    "q": "Beginnings of words of a client's name or address, or of the subject; without case and accents.",
    "file_name": "What the file is called.", "purpose": "attachment (the usual) or signature_image.",
}  # fmt: skip


def operation(endpoint: Endpoint) -> dict[str, Any]:
    """What FastAPI is told about one endpoint."""
    extra: dict[str, Any] = {"parameters": _parameters(endpoint), "security": [{"bearer": list(endpoint.scopes)}]}
    if endpoint.takes is not None:
        schema = {"$ref": _REF.format(model=endpoint.takes.__name__)}
        extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if Trait.UPLOADED in endpoint.traits:
        extra["requestBody"] = {"required": True, "content": {"*/*": {"schema": _OCTETS}}}
    return {
        "summary": endpoint.about, "tags": [endpoint.path.split("/")[2]], "operation_id": _operation_id(endpoint),
        "responses": _responses(endpoint), "openapi_extra": extra,
        "response_class": Response if isinstance(endpoint.gives, Streamed) else JSONResponse,
        "status_code": endpoint.status if isinstance(endpoint.status, int) else endpoint.status.statuses[0],
    }  # fmt: skip


def _responses(endpoint: Endpoint) -> dict[int | str, dict[str, Any]]:
    statuses = (endpoint.status,) if isinstance(endpoint.status, int) else endpoint.status.statuses
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        if isinstance(endpoint.gives, Streamed):
            content = {endpoint.gives.media_type: {"schema": _OCTETS}}
            found[status] = {"description": endpoint.gives.about, "content": content}
        else:
            found[status] = {"model": endpoint.gives, "description": _DESCRIBED.get(status, "As asked for.")}
    if Trait.SETTLES in endpoint.traits:
        found[202] = {"model": RequestResource, "description": "Not decided yet; see /v1/requests/{request_id}."}
    schema = {"schema": {"$ref": _REF.format(model="Problem")}}
    found["default"] = {"description": "Why it was not granted.", "content": {MEDIA_TYPE: schema}}
    return found


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _shape(name)}
        for name in _IN_PATH.findall(endpoint.path)
    ]
    paged = ("limit", "cursor") if Trait.PAGED in endpoint.traits else ()
    found += [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": _shape(name),
            "description": _ABOUT_PARAMETER[name],
        }
        for name in (*endpoint.query, *paged)
    ]
    if Trait.KEYED in endpoint.traits:
        about = "The same key and body get the same answer; another body gets 409 idempotency_mismatch."
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": True, "schema": _KEY, "description": about}
        )
    if Trait.MATCHED in endpoint.traits:
        about = "The ETag you have read; where somebody changed it meanwhile the answer is 412."
        found.append({"name": "If-Match", "in": "header", "required": False, "schema": text, "description": about})
    if Trait.RESUMED in endpoint.traits:
        about = "The id of the last event that was seen; where it is unknown or too old the first event is `reset`."
        found.append({"name": "Last-Event-ID", "in": "header", "required": False, "schema": text, "description": about})
    return found


def _shape(name: str) -> dict[str, Any]:
    """The schema of a parameter of this name."""
    return _SHAPES.get(name) or (_ID if name.endswith("_id") else {"type": "string"})


def _operation_id(endpoint: Endpoint) -> str:
    words = [word for word in re.split(r"[/{}\-]+", endpoint.path.removeprefix("/v1/")) if word]
    return "_".join([endpoint.method.lower(), *words])


async def _answered() -> None:
    # Stands in each route of the document; a docstring would become the operations' description.
    raise NotImplementedError  # nobody calls it: the door answers


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    app = FastAPI(openapi_url=None)
    for one in endpoints:
        app.add_api_route(one.path, _answered, methods=[one.method], response_model=None, **operation(one))
    document = get_openapi(title="Malote", version=VERSION, description=ABOUT, routes=app.routes)
    taken: list[type[BaseModel]] = [Problem, *{one.takes: None for one in endpoints if one.takes}]
    _, schemas = models_json_schema([(one, "validation") for one in taken], ref_template=_REF)
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **schemas["$defs"]}
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path in document["paths"].values():
        for verb in path.values():
            verb["responses"].pop("422", None)
    return document
