"""Bad bodies get a clear answer that says what to change, and nothing is lost: afterwards a good message goes out."""

from __future__ import annotations

import json

import pytest

from services.kit.ids import uuid7
from tests import builders
from tests.builders import Json
from tests.e2e.desk import Desk
from tests.e2e.mail import mails
from tests.e2e.problems import problem
from tests.infra.smtp_peer import Peer
from tests.unit.contracts.test_addresses import BAD

BREAKS = ("line\r\nBcc: eve@evil.test", "line\nfold", "line\rfold", "nul\x00octet")
LONE = "\ud800"

pytestmark = pytest.mark.usefixtures("still_works")


@pytest.mark.parametrize(
    "content",
    [
        b"{not json",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe\x00",
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b'{"subject": NaN}',
    ],
    ids=["broken", "empty", "list", "text", "null", "not-utf8", "deep-list", "deep-object", "nan"],
)
async def test_malformed_json(desk: Desk, content: bytes) -> None:
    for path in ("/v1/messages", "/v1/conversations", "/v1/channels"):
        headers = {**desk.auth(), "Content-Type": "application/json", "Idempotency-Key": str(uuid7())}
        answer = await desk.http.post(path, content=content, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        problem(answer, answer.status_code)


async def test_lone_surrogates_are_refused_where_they_cannot_be_sent(desk: Desk, channel: str) -> None:
    conversation = await desk.conversation(channel, "lone@client.test")
    bodies: list[tuple[str, str, Json]] = [
        ("POST", "/v1/messages", builders.message(conversation, text=f"a{LONE}b")),
        ("POST", "/v1/messages", builders.message(conversation, subject=f"a{LONE}b")),
        ("POST", "/v1/conversations", builders.conversation(channel, f"a{LONE}@client.test")),
        ("PUT", f"/v1/operators/{uuid7()}", builders.operator(f"Ana {LONE}")),
        ("PUT", f"/v1/channels/{channel}/signatures/default", builders.signature(text=LONE)),
    ]
    for method, path, body in bodies:
        content = json.dumps(body).encode()
        headers = {**desk.auth(), "Content-Type": "application/json", "Idempotency-Key": str(uuid7())}
        answer = await desk.http.request(method, path, content=content, headers=headers)
        assert answer.status_code in (400, 422), f"{path}: {answer.status_code} {answer.text}"
        problem(answer, answer.status_code)


async def test_unknown_fields_are_named(desk: Desk, channel: str) -> None:
    conversation = await desk.conversation(channel, "fields@client.test")
    server = builders.server(2525)
    for method, path, body, field in (
        ("POST", "/v1/messages", builders.message(conversation, surprise=1), "surprise"),
        ("POST", "/v1/conversations", builders.conversation(channel, "a@client.test", bcc=["x@y.test"]), "bcc"),
        ("POST", "/v1/channels", builders.channel({**server, "sevret": "x"}), "smtp.sevret"),
        ("PUT", f"/v1/operators/{desk.ana}", builders.operator(tenant="other"), "tenant"),
        ("PUT", f"/v1/channels/{channel}/signatures/default", builders.signature(htlm="x"), "htlm"),
    ):
        problem(await desk.call(method, path, body), 422, "invalid", field)


async def test_wrong_types_and_missing_fields_are_named(desk: Desk, channel: str) -> None:
    conversation = await desk.conversation(channel, "types@client.test")
    without = {"conversation_id": conversation, "text": "x"}
    for path, body, field in (
        ("/v1/messages", {**builders.message(conversation), "text": 7}, "text"),
        ("/v1/messages", without, "subject"),
        ("/v1/messages", builders.message(conversation, text="  \n"), "text"),
        ("/v1/messages", {"subject": "x", "text": "y"}, "conversation_id"),
        ("/v1/messages", builders.message("not-an-id"), "conversation_id"),
        ("/v1/conversations", {"channel_id": channel, "clients": "ana@client.test"}, "clients"),
        ("/v1/conversations", {"channel_id": channel, "clients": []}, "clients"),
        ("/v1/channels", builders.channel(builders.server(2525), undo_seconds=121), "undo_seconds"),
        ("/v1/channels", builders.channel(builders.server(2525), undo_seconds=-1), "undo_seconds"),
        ("/v1/channels", builders.channel(builders.server(70_000)), "smtp.port"),
        ("/v1/channels", builders.channel(builders.server(25)), "smtp.port"),
        ("/v1/channels", builders.channel(builders.server(2525, security="ssl3")), "smtp.security"),
    ):
        problem(await desk.call("POST", path, body), 422, None, field)


async def test_sixty_hostile_addresses(desk: Desk, channel: str, peer: Peer) -> None:
    assert len(BAD) >= 60
    before = len(mails(peer))
    for bad in BAD:
        body = {**builders.conversation(channel, bad), "message": builders.words()}
        content = json.dumps(body).encode()  # httpx would not encode a lone surrogate
        headers = {**desk.auth(), "Content-Type": "application/json", "Idempotency-Key": str(uuid7())}
        answer = await desk.http.post("/v1/conversations", content=content, headers=headers)
        assert answer.status_code in (400, 422), f"{bad!r}: {answer.status_code} {answer.text}"
        problem(answer, answer.status_code)
        if answer.status_code == 422:
            problem(answer, 422, "invalid", "clients.0.address")
    for bad in (one for one in BAD if LONE not in one):
        own = builders.channel(builders.server(peer.port), address=bad)
        problem(await desk.call("POST", "/v1/channels", own), 422, "invalid", "address")
        problem(await desk.call("PUT", f"/v1/operators/{desk.ana}", builders.operator(email=bad)), 422, None, "email")
    assert len(mails(peer)) == before


@pytest.mark.parametrize("bad", BREAKS, ids=["crlf", "lf", "cr", "nul"])
async def test_line_breaks_and_nul_in_subjects_and_names(desk: Desk, channel: str, peer: Peer, bad: str) -> None:
    conversation = await desk.conversation(channel, "breaks@client.test")
    body = builders.conversation(channel, clients=[{"address": "breaks@client.test", "name": bad}])
    server = builders.server(peer.port)
    for method, path, wrong, field in (
        ("POST", "/v1/messages", builders.message(conversation, subject=bad), "subject"),
        ("POST", "/v1/conversations", body, "clients.0.name"),
        ("POST", "/v1/channels", builders.channel(server, name=bad), "name"),
        ("POST", "/v1/channels", builders.channel(server, sender_name=bad), "sender_name"),
        ("POST", "/v1/channels", builders.channel({**server, "user_name": bad}), "smtp.user_name"),
        ("PUT", f"/v1/operators/{desk.ana}", builders.operator(bad), "name"),
        ("POST", f"/v1/channels/{channel}/signatures/preview", _preview(bad), "client.name"),
        ("POST", "/v1/conversations", _started(channel, bad), "message.subject"),
    ):
        problem(await desk.call(method, path, wrong), 422, "invalid", field)
    platform = desk.stack.auth(desk.tenant, "platform:tenants")
    answer = await desk.call("PUT", f"/v1/tenants/{desk.tenant}", builders.tenant(name=bad), headers=platform)
    problem(answer, 422, "invalid", "name")
    assert not mails(peer, "breaks@client.test")


def _preview(name: str) -> Json:
    return {"template": builders.signature(text="x"), "client": {"address": "a@client.test", "name": name}}


def _started(channel: str, subject: str) -> Json:
    return builders.conversation(channel, "breaks@client.test", first=builders.words(subject=subject))


async def test_ids_that_are_none(desk: Desk, channel: str) -> None:
    for odd in ("x", "%00", "%C3%A9", str(uuid7()).upper(), str(uuid7())[:-1], "0" * 36, "..%2f" + str(uuid7())):
        problem(await desk.call("GET", f"/v1/messages/{odd}"), 404, "not_found")
        problem(await desk.call("POST", f"/v1/messages/{odd}/interrupt"), 404, "not_found")
        answer = await desk.call("PUT", f"/v1/operators/{odd}", builders.operator())
        problem(answer, 404 if "%2f" in odd else 422, None if "%2f" in odd else "invalid")
    platform = desk.stack.auth(desk.tenant, "platform:tenants")
    for odd in ("a%20b", "%00", "-acme", "x" * 65, "%C3%A9"):
        answer = await desk.call("PUT", f"/v1/tenants/{odd}", builders.tenant(), headers=platform)
        problem(answer, 422, "invalid", "tenant_id")


@pytest.mark.parametrize("name", [f"a{one}b.txt" for one in BREAKS], ids=["crlf", "lf", "cr", "nul"])
async def test_a_file_name_never_breaks_a_header(desk: Desk, name: str) -> None:
    answer = await desk.http.post("/v1/uploads", params={"file_name": name}, content=b"x", headers=desk.auth())
    if answer.status_code == 422:
        problem(answer, 422, "invalid", "file_name")
        return
    assert answer.status_code == 201, answer.text
    assert not set("\r\n\x00") & set(answer.json()["file_name"])
    found = await desk.http.get(f"/v1/blobs/{answer.json()['blob_id']}", headers=desk.auth())
    assert found.headers["content-disposition"].startswith("attachment")
    assert "bcc" not in found.headers
