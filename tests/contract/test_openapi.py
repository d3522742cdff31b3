"""docs/openapi.json is what the gateway serves. Write it anew with ``python -m tests.contract.test_openapi``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from services.gateway.adapters.http_app import application
from services.gateway.adapters.rest import Door
from services.gateway.adapters.tokens import Tokens
from services.gateway.app import compose
from services.gateway.domain.refusal import Code
from services.gateway.domain.who import SCOPES
from services.gateway.routes import endpoints
from services.kit.unavailable import Unavailable
from tests.fakes.gateway_world import fake_ports

CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.json"


async def _nobody() -> bytes:
    raise Unavailable("no issuer here")


def served() -> str:
    """The document as the gateway makes it."""
    door = Door(Tokens(_nobody, "http://issuer.test"))
    app = application(door, endpoints(compose(fake_ports())))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method, operation."""
    paths = json.loads(served())["paths"]
    return [(path, method, said) for path, methods in paths.items() for method, said in methods.items()]


def test_the_checked_in_document_is_the_served_one() -> None:
    assert CHECKED_IN.read_text() == served(), "run: python -m tests.contract.test_openapi"


def test_every_reference_leads_somewhere() -> None:
    document = json.loads(served())
    known, missing = document["components"]["schemas"], set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            where = value.get("$ref")
            if isinstance(where, str) and where.removeprefix("#/components/schemas/") not in known:
                missing.add(where)
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(document)
    assert not missing


def test_every_operation_says_what_it_needs_and_how_it_fails() -> None:
    for path, method, said in operations():
        assert said["summary"], path
        assert "application/problem+json" in said["responses"]["default"]["content"], (method, path)
        (needed,) = said["security"]
        assert set(needed["bearer"]) <= set(SCOPES), (method, path)
        named = {one["name"] for one in said["parameters"] if one["in"] == "path"}
        assert all(f"{{{name}}}" in path for name in named), path
        assert len(named) == path.count("{"), path
        assert ("requestBody" in said) <= (method in ("post", "put")), (method, path)
    ids = [said["operationId"] for _, _, said in operations()]
    assert len(ids) == len(set(ids))


def test_every_resource_of_the_design_is_there() -> None:
    found = {(method, path) for path, method, _ in operations()}
    for wanted in (
        ("put", "/v1/tenants/{tenant_id}"), ("get", "/v1/channels"), ("post", "/v1/channels"),
        ("put", "/v1/channels/{channel_id}"), ("delete", "/v1/channels/{channel_id}"),
        ("post", "/v1/channels/{channel_id}/reconnect"), ("get", "/v1/channels/{channel_id}/signatures"),
        ("put", "/v1/channels/{channel_id}/signatures/operators/{operator_id}"),
        ("put", "/v1/channels/{channel_id}/signatures/default"), ("put", "/v1/channels/{channel_id}/signatures/policy"),
        ("post", "/v1/channels/{channel_id}/signatures/preview"), ("get", "/v1/operators"),
        ("put", "/v1/operators/{operator_id}"), ("get", "/v1/conversations"), ("post", "/v1/conversations"),
        ("get", "/v1/conversations/{conversation_id}"), ("post", "/v1/conversations/{conversation_id}/hide"),
        ("post", "/v1/messages"), ("get", "/v1/messages/{message_id}"), ("post", "/v1/messages/{message_id}/hide"),
        ("post", "/v1/messages/{message_id}/interrupt"), ("post", "/v1/messages/{message_id}/resend"),
        ("post", "/v1/messages/{message_id}/mark-sent"), ("get", "/v1/requests/{request_id}"),
    ):  # fmt: skip
        assert wanted in found


def test_every_code_has_a_status_and_a_title() -> None:
    from services.gateway.adapters.problems import STATUS, TITLES

    assert set(STATUS) == set(TITLES) == set(Code)


if __name__ == "__main__":
    CHECKED_IN.write_text(served())
