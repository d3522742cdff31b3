"""Every operation of docs/openapi.json, asked in thousands of right and wrong ways: it answers as it is documented.

Schemathesis makes the requests from the document: all with a valid token of every scope, once with ids that stand and
once with ids of its own. No 5xx, no undocumented status or content type, no answer off its schema.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from services.kit.ids import uuid7
from tests.e2e.conftest import Peers
from tests.e2e.desk import SCOPES, Desk
from tests.infra.stack import Stack

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
STREAM = "/v1/events"
"""It never ends, so it is asked elsewhere (test_live_updates)."""


@pytest.fixture(scope="module")
async def standing(desk: Desk, peers: Peers) -> dict[str, str]:
    """Ids of things that are there; the channel that is removed is another one."""
    channel = await desk.connected(peers.plain.port, undo_seconds=120, name="Asked")
    conversation = await desk.conversation(channel, "asked@client.test")
    message = await desk.send(conversation)
    upload = await desk.http.post("/v1/uploads", params={"file_name": "a.txt"}, content=b"text", headers=desk.auth())
    asked = await desk.call("POST", f"/v1/channels/{channel}/reconnect")
    assert asked.is_success
    return {
        "channel_id": channel, "conversation_id": conversation, "message_id": message, "operator_id": desk.ana,
        "tenant_id": desk.tenant, "blob_id": upload.json()["blob_id"], "request_id": str(uuid7()),
    }  # fmt: skip


def configured(folder: Path, ids: dict[str, str], removed: str) -> Path:
    """Schemathesis' settings: these ids in every path, the one that may go where it is removed."""
    lines = ["[dictionaries]", *(f'{name} = {{ values = ["{value}"] }}' for name, value in ids.items())]
    lines += ["[parameters]", *(f'"path.{name}" = "{value}"' for name, value in ids.items())]
    lines += [
        f'"body.{name}" = {{ dictionary = "{name}" }}' for name in ("channel_id", "conversation_id", "operator_id")
    ]
    lines += ["[[operations]]", 'include-name = "DELETE /v1/channels/{channel_id}"']
    lines += [f'parameters = {{ "path.channel_id" = "{removed}" }}']
    made = folder / "schemathesis.toml"
    made.write_text("\n".join(lines))
    return made


async def asked(stack: Stack, desk: Desk, folder: Path, *options: str, settings: Path | None = None) -> None:
    """One run; raises AssertionError with what it found."""
    token = stack.token(desk.tenant, [*SCOPES, "platform:tenants"], operator=desk.ana)
    command = [
        str(Path(sys.executable).with_name("st")), *(["--config-file", str(settings)] if settings else []), "run",
        str(DOCUMENT), "--url", stack.gateway_url, "--header", f"Authorization: Bearer {token}", "--checks", CHECKS,
        "--exclude-path", STREAM, "--seed", "20261124", "--generation-database", "none", "--no-color", *options,
    ]  # fmt: skip
    made = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await made.communicate()
    assert made.returncode == 0, said.decode()[-20_000:]


async def test_every_operation_with_ids_that_stand(
    stack: Stack, desk: Desk, peers: Peers, standing: dict[str, str], tmp_path: Path
) -> None:
    removed = await desk.channel(peers.plain.port, name="To be removed")
    settings = configured(tmp_path, standing, removed)
    await asked(stack, desk, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "12", settings=settings)


async def test_every_operation_with_ids_of_its_own(stack: Stack, desk: Desk, tmp_path: Path) -> None:
    await asked(stack, desk, tmp_path, "--phases", "fuzzing,stateful", "--max-examples", "15")
