"""The console's only way to anything: the endpoints of the REST interface, called in this process.

Scopes, bodies, sizes, keys and versions are checked by the very code that answers programs, so there is no second way
to the data; only the token comes out of a session instead of a header.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from services.gateway.adapters.endpoint import Endpoint, Streamed
from services.gateway.adapters.rest import Stop, arguments, validated
from services.gateway.domain.answers import Pending
from services.gateway.domain.refusal import Refused, forbidden
from services.gateway.domain.who import Principal


class Desk:
    """``ask`` answers with a resource, or with the ``Refused`` or ``Pending`` a program would get as a problem."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = {(one.method, one.path): one for one in endpoints}

    def offers(self, method: str, path: str) -> bool:
        """Whether the interface has this line."""
        return (method, path) in self._endpoints

    async def ask(
        self, who: Principal, line: str, *ids: str, body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None, key: str | None = None, version: str | None = None,
        after: str | None = None, sent: tuple[str, AsyncIterator[bytes]] | None = None,
    ) -> Any:  # fmt: skip
        """``line`` like ``"GET /v1/channels/{channel_id}"``; ``key`` the Idempotency-Key, ``version`` an ETag's.

        ``after`` is the Last-Event-ID, ``sent`` a file's media type and octets. What is streamed comes as it is.
        """
        method, _, path = line.partition(" ")
        endpoint = self._endpoints[method, path]
        if endpoint.scopes and not who.may(*endpoint.scopes):
            return forbidden("Your role does not allow this.")
        given = {"idempotency-key": key, "if-match": f'"{version}"' if version else None, "last-event-id": after}
        request = _request(path, ids, query or {}, given)
        try:
            checked = validated(endpoint, json.dumps(body).encode() if body is not None else b"")
            outcome = await endpoint.answer(*arguments(endpoint, request, who, checked), *(sent or ()))
        except Stop as stop:
            return stop.refused
        plain = isinstance(outcome, Refused | Pending) or isinstance(endpoint.gives, Streamed)
        return outcome if plain else endpoint.gives.of(outcome)


def _request(path: str, ids: Sequence[str], query: Mapping[str, str], given: Mapping[str, str | None]) -> Request:
    """What ``arguments`` reads of a request: the ids of the path, the query, and the headers that are given."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    headers = [(name.encode(), value.encode("ascii", "replace")) for name, value in given.items() if value]
    filled = path
    for name, one in zip(names, ids, strict=True):
        filled = filled.replace(f"{{{name}}}", one)
    return Request({
        "type": "http", "method": "POST", "path": filled, "headers": headers,
        "path_params": dict(zip(names, ids, strict=True)), "query_string": urlencode(query).encode(),
    })  # fmt: skip
