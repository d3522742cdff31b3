"""Who may do what: tokens and scopes; other tenants' ids are in test_foreign_ids."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.local.issuer import issuer_url
from services.kit.ids import uuid7
from tests import builders
from tests.builders import Json
from tests.e2e.conftest import Peers
from tests.e2e.desk import SCOPES, Desk
from tests.e2e.every_route import rest
from tests.e2e.problems import problem
from tests.infra.stack import Stack

CHANNEL, CONVERSATION, MESSAGE = "channel_id", "conversation_id", "message_id"


@pytest.fixture(scope="module")
async def ids(desk: Desk, peers: Peers) -> dict[str, str]:
    """What the tenant owns: a channel, a conversation and a message that waits."""
    channel = await desk.connected(peers.plain.port, undo_seconds=120, name="Owned")
    conversation = await desk.conversation(channel, "owned@client.test")
    message = await desk.send(conversation)
    await desk.reached(message, "queued")
    return {CHANNEL: channel, CONVERSATION: conversation, MESSAGE: message}


async def test_a_tenant_is_the_platforms_alone(stack: Stack, desk: Desk) -> None:
    answer = await desk.call("PUT", f"/v1/tenants/{desk.tenant}", builders.tenant(max_channels=9999))
    problem(answer, 403, "forbidden")


def _forged(stack: Stack, desk: Desk, key_file: Path | None = None, **claims: Any) -> dict[str, str]:
    private = json.loads((key_file or stack.keys.issuer).read_text())["keys"][0]
    now = int(time.time())
    said = {
        "iss": issuer_url(stack.issuer_port), "aud": "malote", "iat": now, "exp": now + 600, "sub": "x",
        "tenant": desk.tenant, "scope": " ".join(SCOPES), **claims,
    }  # fmt: skip
    said = {name: value for name, value in said.items() if value is not None}
    header = {"alg": "ES256", "kid": private["kid"]}
    return {"Authorization": "Bearer " + jwt.encode(header, said, ECKey.import_key(private), algorithms=["ES256"])}


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_700_000_000}, {"exp": None}, {"aud": "another"}, {"aud": None}, {"iss": "http://evil.test"},
        {"tenant": None}, {"tenant": "a/b"}, {"tenant": {"$ne": 1}}, {"nbf": 4_000_000_000},
    ],
    ids=["expired", "no-exp", "audience", "no-audience", "issuer", "no-tenant", "slash", "operator", "not-yet"],
)  # fmt: skip
async def test_a_wrong_token_opens_nothing(stack: Stack, desk: Desk, claims: Json) -> None:
    assert (await desk.call("GET", "/v1/channels", headers=_forged(stack, desk))).status_code == 200
    answer = await desk.call("GET", "/v1/channels", headers=_forged(stack, desk, **claims))
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_missing_or_foreign_token_opens_nothing(stack: Stack, desk: Desk, tmp_path: Path) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "local-1"}, private=True).as_dict(private=True)
    other = tmp_path / "key.json"
    other.write_text(json.dumps({"keys": [stranger]}))
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    for headers in (
        {"Authorization": ""}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"}, {"Authorization": f"Bearer {unsigned}"}, _forged(stack, desk, other),
    ):  # fmt: skip
        problem(await desk.call("GET", "/v1/channels", headers=headers), 401, "unauthenticated")
    problem(await desk.http.get("/v1/channels"), 401, "unauthenticated")


READS, WRITES = ("conversations:read",), ("conversations:write",)
SEES, SETS, SIGNS = ("channels:read",), ("channels:write",), ("signatures:write",)
INTERRUPTS, RESOLVES = ("messages:interrupt", "messages:interrupt:any"), ("messages:resolve",)
WRITING = ("conversations:write", "messages:send", "signatures:write")
NEEDED = (
    ("GET", "/v1/(channels|operators)", SEES), ("", "/v1/channels/[^/]+/signatures", SIGNS), ("", "/v1/channels", SETS),
    ("GET", "/v1/(conversations|messages|waiting|blobs|events|quarantined)", READS), ("", ".*/interrupt", INTERRUPTS),
    ("", ".*/(resend|mark-sent)", RESOLVES), ("", ".*/(hide|read|attended)", WRITES),
    ("", "/v1/conversations", WRITES), ("", "/v1/messages", ("messages:send",)),
    ("", "/v1/operators", ("operators:write",)), ("", "/v1/drafts", WRITING), ("", "/v1/uploads", WRITING[1:]),
    ("PUT", "/v1/tenants", ("platform:tenants",)), ("GET", "/v1/(tenants|requests)", ()),
)  # fmt: skip
"""Method, path and the scopes one of which is needed; the first line that fits, and one must."""


def _needed(method: str, path: str) -> tuple[str, ...]:
    return next(scopes for verb, shape, scopes in NEEDED if verb in ("", method) and re.match(shape, path))


async def test_each_scope_is_needed(stack: Stack, desk: Desk, ids: dict[str, str]) -> None:
    table, nothing = rest(), {name: str(uuid7()) for name in ("operator_id", "blob_id", "request_id", "draft_name")}
    given = {**nothing, **ids, "tenant_id": desk.tenant}
    for line in (*table.foreign, *table.own, *table.lists):
        if needed := _needed(line.method, line.path):
            others = desk.auth(*(one for one in SCOPES if one not in needed))
            answer = await desk.call(line.method, line.at(given), line.body(given), headers=others)
            said = problem(answer, 403, "forbidden")
            assert needed[0] in said["detail"], (line.title, said)


async def test_an_operator_interrupts_their_own_and_no_one_elses(desk: Desk, ids: dict[str, str]) -> None:
    path = f"/v1/messages/{ids[MESSAGE]}/interrupt"
    rui = await desk.call("POST", path, headers=_as(desk, desk.rui))
    problem(rui, 403, "forbidden")
    ana: httpx.Response = await desk.call("POST", path, headers=_as(desk, desk.ana))
    assert (ana.status_code, ana.json()["outcome"]) == (200, "interrupted"), ana.text


def _as(desk: Desk, operator: str) -> dict[str, str]:
    return desk.auth("messages:interrupt", operator=operator)
