"""The door: tokens, scopes, sizes, shapes, versions, keys; and refusals that say what to change."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.gateway.domain.message import Status
from services.kit.ids import uuid7
from services.kit.unavailable import Unavailable
from tests.unit.gateway.world import ANA, CHANNEL, OTHER, TENANT, Http, World, token, world

SERVER = {"host": "mail.acme.test", "port": 465, "security": "tls", "user_name": "desk", "secret": "s3cret words"}
ACCOUNT = {"name": "Support", "address": "desk@acme.test", "imap": {**SERVER, "port": 993}, "smtp": SERVER}


@pytest.fixture
async def here() -> World:
    made = await world()
    made.owner_grants()
    return made


@pytest.fixture
def http(here: World) -> Http:
    return Http(here)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert (said["status"], said["code"]) == (status, code)
    assert said["type"] == f"urn:malote:problem:{code}"
    assert said["title"]
    assert said["detail"]
    return said


def fields(said: dict[str, Any]) -> list[str]:
    return [one["field"] for one in said["errors"]]


async def test_the_story_over_http(here: World, http: Http) -> None:
    made = await http.call("POST", "/v1/channels", ACCOUNT)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert "s3cret" not in made.text
    assert "jwe" not in made.text
    channel = made.json()["channel_id"]
    wish = {"channel_id": channel, "clients": [{"address": "Carla@CLIENT.test", "name": "Carla"}]}
    started = await http.call("POST", "/v1/conversations", {**wish, "message": {"subject": "Hello", "text": "Hi"}})
    assert started.status_code == 202
    assert started.json()["message"]["to"] == [{"address": "Carla@client.test", "name": "Carla"}]
    silent = await http.call("POST", "/v1/conversations", wish)
    assert (silent.status_code, silent.json()["message"]) == (201, None)
    sent = await http.call("POST", "/v1/messages", {"conversation_id": started.json()["conversation_id"], "text": "x"})
    assert sent.status_code == 202
    said = sent.json()
    assert (said["status"], said["interruptible"], said["undo_until"]) == ("accepted", True, None)
    assert (said["subject"], said["recipients"][0]["state"]) == ("Re: Hello", "open")
    opened = await http.call("GET", f"/v1/conversations/{said['conversation_id']}", params={"limit": "1"})
    (first,) = opened.json()["messages"]["items"]
    assert first["message_id"] == said["message_id"]
    after = {"limit": "1", "cursor": opened.json()["messages"]["next"]}
    rest = (await http.call("GET", f"/v1/conversations/{said['conversation_id']}", params=after)).json()
    assert rest["messages"]["items"][0]["message_id"] == started.json()["message"]["message_id"]
    assert rest["messages"]["next"] is None
    listed = (await http.call("GET", "/v1/conversations", params={"limit": "1"})).json()
    more = await http.call("GET", "/v1/conversations", params={"limit": "1", "cursor": listed["next"]})
    assert len({listed["items"][0]["conversation_id"], more.json()["items"][0]["conversation_id"]}) == 2


async def test_interrupts_say_what_is_true(here: World, http: Http) -> None:
    message = await here.message(status=Status.SENT)
    path = f"/v1/messages/{message.message_id}/interrupt"
    said = problem(await http.call("POST", path), 409, "too_late")
    assert said["message_status"] == "sent"
    message = await here.message(status=Status.QUEUED)
    undecided = await http.call("POST", f"/v1/messages/{message.message_id}/interrupt", {})
    assert undecided.status_code == 202
    assert (undecided.json()["outcome"], undecided.json()["message_status"]) == (None, "queued")
    assert undecided.json()["cancel_id"]
    message = await here.message(status=Status.INTERRUPTED)
    done = await http.call("POST", f"/v1/messages/{message.message_id}/interrupt")
    assert (done.status_code, done.json()["outcome"], done.json()["message_status"]) == (
        200, "already_interrupted", "interrupted",
    )  # fmt: skip


async def test_bodies_that_are_no_json(http: Http) -> None:
    headers = {"Authorization": f"Bearer {token()}", "Idempotency-Key": "k"}
    for raw in (b"", b"{", b"nonsense", b'{"a": NaN', b"\xff\xfe{}", b'{"text": "\\ud800"}', b"[" * 100_000):
        answer = await http.client.post("/v1/messages", content=raw, headers=headers)
        problem(answer, 400, "invalid")


async def test_fields_are_named_and_input_is_not_repeated(http: Http) -> None:
    body = {"conversation_id": 7, "txt": "secret words", "subject": ["secret words"], "text": "secret words"}
    said = problem(await http.call("POST", "/v1/messages", body), 422, "invalid")
    assert sorted(fields(said)) == ["conversation_id", "subject", "txt"]
    assert {one["field"]: one["code"] for one in said["errors"]}["txt"] == "unknown_field"
    assert "secret words" not in json.dumps(said)
    wrong = {**ACCOUNT, "smtp": {**SERVER, "port": 70_000, "secret": 5, "extra": 1}, "undo_seconds": 121}
    said = problem(await http.call("POST", "/v1/channels", wrong), 422, "invalid")
    assert sorted(fields(said)) == ["smtp.extra", "smtp.port", "smtp.secret", "undo_seconds"]
    odds: list[Any] = [[], "text", 5, None]
    for odd in odds:
        assert (await http.call("POST", "/v1/messages", odd)).status_code in (400, 422)


HOSTILE = [
    "", "plain", "@x.test", "a@", "a@b", "a b@x.test", "a@x.test\r\nRCPT TO:<b@y.test>", "a\n@x.test", "a@x\0.test",
    "<a@x.test>", "A <a@x.test>", '"a b"@x.test', "a@[127.0.0.1]", "a@127.0.0.1", "a,b@x.test", "a@x.test,b@y.test",
    "a@x..test", ".a@x.test", "a.@x.test", "a..b@x.test", "a@-x.test", "a@x.test.", "(c)a@x.test", "a@x_y.test",
    "a" * 65 + "@x.test", "a@" + "x" * 64 + ".test", "a@x.test\u2028", "a\u202e@x.test",
    "a@xn--a.test", "a@\u200b.test",
]  # fmt: skip


@pytest.mark.parametrize("address", HOSTILE)
async def test_hostile_addresses(here: World, http: Http, address: str) -> None:
    body = {"channel_id": CHANNEL, "clients": [{"address": "a@x.test"}, {"address": address}]}
    said = problem(await http.call("POST", "/v1/conversations", body), 422, "invalid")
    assert fields(said) == ["clients.1.address"]
    assert not here.conversations.kept


@pytest.mark.parametrize("name", ["a\r\nBcc: x@y.test", "a\n", "a\0b"])
async def test_names_break_no_header(http: Http, name: str) -> None:
    body = {"channel_id": CHANNEL, "clients": [{"address": "a@x.test", "name": name}]}
    problem(await http.call("POST", "/v1/conversations", body), 422, "invalid")
    problem(await http.call("PUT", f"/v1/operators/{ANA}", {"name": name}), 422, "invalid")
    problem(await http.call("POST", "/v1/channels", {**ACCOUNT, "sender_name": name}), 422, "invalid")


async def test_fifty_recipients_and_not_one_more(http: Http) -> None:
    crowd = [{"address": f"c{n}@x.test"} for n in range(51)]
    body = {"channel_id": CHANNEL, "clients": crowd}
    said = problem(await http.call("POST", "/v1/conversations", body), 422, "invalid")
    assert fields(said) == ["clients"]
    assert (await http.call("POST", "/v1/conversations", {**body, "clients": crowd[:50]})).status_code == 201


async def test_sizes_are_checked_before_parsing(http: Http) -> None:
    headers = {"Authorization": f"Bearer {token()}", "Idempotency-Key": "k"}

    async def endless() -> Any:
        for _ in range(1_000):
            yield b"x" * 65_536

    problem(await http.client.post("/v1/messages", content=endless(), headers=headers), 413, "too_large")
    problem(
        await http.client.post("/v1/messages", content=b"x" * (8 * 1024 * 1024 + 1), headers=headers), 413, "too_large"
    )
    problem(
        await http.client.post(f"/v1/channels/{CHANNEL}/reconnect", content=b"x" * 2_000, headers=headers),
        413,
        "too_large",
    )


async def test_unknown_and_foreign_ids_answer_the_same_bytes(here: World, http: Http) -> None:
    message = await here.message()
    stranger = {"Authorization": f"Bearer {token(tenant=OTHER)}"}
    body = {"name": "x", **{k: v for k, v in ACCOUNT.items() if k != "name"}}
    for method, path, sent in (
        ("GET", "/v1/messages/{m}", None), ("POST", "/v1/messages/{m}/interrupt", None),
        ("POST", "/v1/messages/{m}/hide", None), ("POST", "/v1/messages/{m}/resend", None),
        ("POST", "/v1/messages/{m}/mark-sent", None), ("GET", "/v1/conversations/{c}", None),
        ("POST", "/v1/conversations/{c}/hide", None), ("GET", "/v1/channels/{h}", None),
        ("PUT", "/v1/channels/{h}", body),
        ("DELETE", "/v1/channels/{h}", None), ("POST", "/v1/channels/{h}/reconnect", None),
        ("GET", "/v1/channels/{h}/signatures", None), ("GET", "/v1/operators/{o}", None),
        ("GET", "/v1/requests/{m}", None), ("GET", "/v1/tenants/acme", None),
    ):  # fmt: skip
        real = path.format(m=message.message_id, c=message.conversation_id, h=CHANNEL, o=ANA)
        none = path.format(**{name: uuid7() for name in "mcho"})
        answers = [await http.call(method, one, sent, stranger | _bare(method)) for one in (real, none)]
        if path != "/v1/tenants/acme":
            assert problem(answers[0], 404, "not_found")
            assert answers[0].content == answers[1].content, path
            assert answers[0].headers == answers[1].headers, path
    nothing = await http.call("GET", "/v1/nothing")
    assert nothing.content == answers[1].content or problem(nothing, 404, "not_found")
    problem(await http.call("GET", "/v1/messages/%00"), 404, "not_found")
    problem(await http.call("DELETE", "/v1/messages"), 405, "method_not_allowed")


def _bare(method: str) -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())} if method == "POST" else {}


async def test_each_scope_is_needed(here: World, http: Http) -> None:
    message = await here.message()
    talk = {"channel_id": CHANNEL, "clients": [{"address": "a@b.test"}]}
    for method, path, scope, body in (
        ("POST", "/v1/messages", "messages:send", {"conversation_id": message.conversation_id, "text": "x"}),
        ("GET", f"/v1/messages/{message.message_id}", "conversations:read", None),
        ("POST", f"/v1/messages/{message.message_id}/interrupt", "messages:interrupt", None),
        ("POST", f"/v1/messages/{message.message_id}/mark-sent", "messages:resolve", None),
        ("POST", "/v1/conversations", "conversations:write", talk),
        ("GET", "/v1/channels", "channels:read", None),
        ("POST", "/v1/channels", "channels:write", ACCOUNT),
        ("PUT", f"/v1/channels/{CHANNEL}/signatures/default", "signatures:write", {"text": "x"}),
        ("PUT", f"/v1/operators/{ANA}", "operators:write", {"name": "Ana"}),
        ("PUT", "/v1/tenants/initech", "platform:tenants", {"name": "I", "email_enabled": True, "max_channels": 1}),
    ):  # fmt: skip
        without = {"Authorization": f"Bearer {token('something:else')}"}
        said = problem(await http.call(method, path, body, without), 403, "forbidden")
        assert scope in said["detail"]
        own = {"Authorization": f"Bearer {token(scope)}"}
        assert (await http.call(method, path, body, own)).status_code not in (401, 403), path


async def test_versions_are_compared(http: Http) -> None:
    path, body = f"/v1/operators/{ANA}", {"name": "Ana Prado"}
    read = await http.call("GET", path)
    assert read.headers["etag"] == '"1"'
    assert (await http.call("PUT", path, body, {"If-Match": '"1"'})).headers["etag"] == '"2"'
    said = problem(await http.call("PUT", path, body, {"If-Match": '"1"'}), 412, "version_mismatch")
    assert said["current_version"] == 2
    problem(await http.call("PUT", path, body, {"If-Match": "one"}), 412, "version_mismatch")
    assert (await http.call("PUT", path, body, {"If-Match": "*"})).status_code == 200


async def test_keys_are_needed_and_told_apart(here: World, http: Http) -> None:
    conversation = here.conversation().conversation_id
    body = {"conversation_id": conversation, "text": "x"}
    for key in ("", "x" * 201, "a b"):
        said = problem(await http.call("POST", "/v1/messages", body, {"Idempotency-Key": key}), 422, "invalid")
        assert fields(said) == ["Idempotency-Key"]
    same = {"Idempotency-Key": "one"}
    first = await http.call("POST", "/v1/messages", body, same)
    again = await http.call("POST", "/v1/messages", body, same)
    assert first.content == again.content
    problem(await http.call("POST", "/v1/messages", {**body, "text": "y"}, same), 409, "idempotency_mismatch")
    start = {"channel_id": CHANNEL, "clients": [{"address": "a@x.test"}], "message": {"subject": "s", "text": "x"}}
    started = [await http.call("POST", "/v1/conversations", start, same) for _ in range(2)]
    assert started[0].status_code == 202
    assert started[0].content == started[1].content
    problem(
        await http.call("POST", "/v1/conversations", {**start, "clients": [{"address": "b@x.test"}]}, same),
        409, "idempotency_mismatch",
    )  # fmt: skip


async def test_cursors_are_opaque_and_checked(http: Http) -> None:
    for query in (
        {"cursor": "what?"},
        {"cursor": "W10"},
        {"cursor": "bnVsbA"},
        {"limit": "0"},
        {"limit": "x"},
        {"limit": "201"},
    ):
        problem(await http.call("GET", "/v1/channels", params=query), 422, "invalid")
        problem(await http.call("GET", "/v1/conversations", params=query), 422, "invalid")
    problem(await http.call("GET", "/v1/conversations", params={"cursor": "WyJhIiwiYiJd"}), 422, "invalid")


async def test_pending_changes_can_be_followed(here: World, http: Http) -> None:
    here.wishes.owner = None
    path = f"/v1/channels/{CHANNEL}"
    pending = await http.call("POST", f"{path}/reconnect")
    assert pending.status_code == 202
    said = pending.json()
    assert pending.headers["location"] == f"/v1/requests/{said['request_id']}"
    assert (said["state"], said["resource"]) == ("pending", path)
    await here.ports.wishes.grant(TENANT, said["request_id"], 4)
    assert (await http.call("GET", pending.headers["location"])).json()["state"] == "granted"


async def test_trouble_of_ours_is_no_secret_and_no_silence(
    here: World, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise Unavailable("MongoDB is not reachable")

    async def broken(*_: object) -> None:
        raise KeyError("carla@client.test")

    monkeypatch.setattr(here.messages, "get", gone)
    answer = await http.call("GET", f"/v1/messages/{uuid7()}")
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    monkeypatch.setattr(here.messages, "get", broken)
    answer = await http.call("GET", f"/v1/messages/{uuid7()}")
    problem(answer, 500, "internal")
    assert "carla" not in answer.text


async def test_a_full_backlog_answers_429(here: World, http: Http) -> None:
    here.backlog.most = 0
    body = {"conversation_id": here.conversation().conversation_id, "text": "x"}
    answer = await http.call("POST", "/v1/messages", body)
    problem(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == "5"
