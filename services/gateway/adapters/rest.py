"""The door: one request in, its token, size and shape checked, one answer out.

Bodies are validated from their bytes and answers written as bytes (FINDINGS, "The outbound hot path, measured").
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from services.gateway.adapters.cursors import read_cut
from services.gateway.adapters.endpoint import Endpoint, Streamed, Trait
from services.gateway.adapters.faults import refusal_of
from services.gateway.adapters.path_ids import read_ids
from services.gateway.adapters.problems import problem
from services.gateway.adapters.rest_requests import Body
from services.gateway.adapters.rest_settings import RequestResource
from services.gateway.adapters.tokens import Tokens
from services.gateway.domain.answers import Pending
from services.gateway.domain.page import Cut
from services.gateway.domain.refusal import Code, Refused, forbidden, invalid
from services.gateway.domain.who import Principal
from services.gateway.ports import Key
from services.kit import logs, metrics, tracing
from services.kit.unavailable import Unavailable

T = TypeVar("T")
log = logs.get_logger()
UNAVAILABLE: Final = Refused(Code.UNAVAILABLE, "We cannot do this at the moment. Try again shortly.", retry_after=1)
INTERNAL: Final = Refused(
    Code.INTERNAL, "Something went wrong on our side. Try again; if it stays, tell us when it was."
)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
_ETAG: Final = re.compile(r'(?:W/)?"(\d{1,12})"')


class Stop(Exception):
    """A request that ends before its use case."""

    def __init__(self, refused: Refused) -> None:
        self.refused = refused


class Door:
    """Answers requests for endpoints."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def serve(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """The function that answers this endpoint's requests."""

        async def serve(request: Request) -> Response:
            began = time.perf_counter()
            headers = request.headers
            with tracing.use(tracing.new_trace(headers.get("traceparent"), headers.get("correlation-id"))):
                response = await self._safely(endpoint, request)
            took = time.perf_counter() - began
            metrics.timed(endpoint.method, endpoint.path, response.status_code).observe(took)
            return response

        return serve

    async def _safely(self, endpoint: Endpoint, request: Request) -> Response:
        try:
            return respond(endpoint, await endpoint.answer(*await self._read(endpoint, request)))
        except Stop as stop:
            return problem(stop.refused)
        except Unavailable as error:
            log.warning("request_postponed", route=endpoint.path, reason=str(error))
            return problem(UNAVAILABLE)
        except Exception:
            log.exception("request_failed", route=endpoint.path, method=endpoint.method)
            return problem(INTERNAL)

    async def _read(self, endpoint: Endpoint, request: Request) -> list[Any]:
        """What the use case is called with; raises Stop."""
        who = await self._tokens.principal(request.headers.get("authorization"))
        if isinstance(who, Refused):
            raise Stop(who)
        if endpoint.scopes and not who.may(*endpoint.scopes):
            raise Stop(forbidden(f"Your token lacks the scope {' or '.join(endpoint.scopes)}."))
        if Trait.UPLOADED in endpoint.traits:
            return [*arguments(endpoint, request, who, None), request.headers.get("content-type"), request.stream()]
        body = validated(endpoint, await read_body(request, endpoint.largest))
        return arguments(endpoint, request, who, body)


def validated(endpoint: Endpoint, raw: bytes) -> Body | None:
    """The body; raises Stop with every field that is wrong."""
    if endpoint.reader is None:
        return None
    try:
        return endpoint.reader.validate_json(raw)
    except ValidationError as error:
        raise Stop(refusal_of(error)) from None


def arguments(endpoint: Endpoint, request: Request, who: Principal, body: Body | None) -> list[Any]:
    """Who asks, the ids of the path, the query, the body's parts, then the key or the version that was seen."""
    found: list[Any] = [who, *_or_stop(read_ids(endpoint, request.path_params))]
    found += [request.query_params.get(name) for name in endpoint.query]
    if Trait.PAGED in endpoint.traits:
        found.append(_cut(request, endpoint.traits))
    if body is not None:
        found += body.parts()
    if Trait.KEYED in endpoint.traits:
        found.append(_key(endpoint, request, body))
    if Trait.MATCHED in endpoint.traits:
        found.append(_expected(request.headers.get("if-match")))
    if Trait.RESUMED in endpoint.traits:
        found.append(request.headers.get("last-event-id") or None)
    return found


def _cut(request: Request, traits: Trait) -> Cut:
    kind = "rti" if Trait.RANKED in traits else "ti" if Trait.TIMED in traits else "i"
    return _or_stop(read_cut(request.query_params.get("limit"), request.query_params.get("cursor"), kind))


def _or_stop(found: T | Refused) -> T:
    if isinstance(found, Refused):
        raise Stop(found)
    return found


async def read_body(request: Request, largest: int) -> bytes:
    """The body's octets; raises Stop as soon as they are too many. As the server gives them: mostly in one piece."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > largest:
        raise Stop(_too_large(largest))
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        size += len(part)
        if size > largest:
            raise Stop(_too_large(largest))
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(largest: int) -> Refused:
    return Refused(Code.TOO_LARGE, f"A body of this request has at most {largest} octets.")


def respond(endpoint: Endpoint, outcome: Any) -> Response:
    """The answer for what the use case says."""
    if isinstance(outcome, Refused):
        return problem(outcome)
    if isinstance(endpoint.gives, Streamed):
        return endpoint.gives.respond(outcome)
    if isinstance(outcome, Pending):
        content, location = RequestResource.of(outcome).model_dump_json(), f"/v1/requests/{outcome.request_id}"
        return Response(content, 202, {"Location": location, "Retry-After": "1"}, "application/json")
    resource = endpoint.gives.of(outcome)
    status = endpoint.status if isinstance(endpoint.status, int) else endpoint.status.of(outcome)
    headers = (
        {"ETag": f'"{resource.version}"'} if Trait.TAGGED in endpoint.traits and hasattr(resource, "version") else None
    )
    return Response(resource.model_dump_json(), status, headers, "application/json")


def _key(endpoint: Endpoint, request: Request, body: Body | None) -> Key:
    """The key, told apart by operation, and the hash of what was asked for."""
    given = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(given):
        detail = "Send an Idempotency-Key of 1 to 200 visible ASCII characters, a fresh one for each new message."
        raise Stop(invalid("Idempotency-Key", "missing", detail))
    asked = request.scope["path"].encode() + b"\n" + (body.model_dump_json().encode() if body else b"")
    operation = endpoint.path.rpartition("/")[2]
    return Key(f"{operation}/{given}", hashlib.sha256(asked).hexdigest())


def _expected(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Stop(Refused(Code.VERSION_MISMATCH, "Send the ETag of what you have read, as it came, in If-Match."))
    return int(found[1])
