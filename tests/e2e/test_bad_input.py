"""Bad input gets a clear answer that says what to change, and nothing is lost: afterwards a good message goes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest

from services.kit.ids import uuid7
from tests import builders
from tests.builders import Json
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived, mails
from tests.infra.smtp_peer import Peer
from tests.unit.contracts.test_addresses import BAD

_good = count()
BREAKS = ("line\r\nBcc: eve@evil.test", "line\nfold", "line\rfold", "nul\x00octet")
LONE = "\ud800"


@pytest.fixture(scope="module")
async def channel(desk: Desk, peers: Any) -> str:
    """A good channel."""
    return await desk.connected(peers.plain.port)


@pytest.fixture(autouse=True)
async def _still_works(desk: Desk, channel: str, peer: Peer) -> AsyncIterator[None]:
    """After each of these tests a good message goes out."""
    yield
    client = f"good{next(_good)}@client.test"
    await desk.start(channel, client, first=builders.words())
    await arrived(peer, client)


def problem(answer: httpx.Response, status: int, code: str | None = None, field: str | None = None) -> Json:
    """The answer as a problem (RFC 9457) that says what to change; raises AssertionError where it is none."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:600]}"
    assert answer.headers["content-type"] == "application/problem+json"
    said: Json = answer.json()
    assert said["status"] == status
    assert said["title"]
    assert len(said["detail"]) > 10
    assert code in (None, said["code"]), said
    if field is not None:
        named = {one["field"]: one["detail"] for one in said["errors"]}
        assert any(name == field or name.startswith(f"{field}.") for name in named), said
        assert all(named.values()), said
    return said


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
    for bad in BAD[:12]:
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
    ):
        problem(await desk.call(method, path, wrong), 422, "invalid", field)
    assert not mails(peer, "breaks@client.test")


async def test_too_large(desk: Desk, channel: str) -> None:
    conversation = await desk.conversation(channel, "large@client.test")
    for words in ({"text": "é" * (600 * 1024)}, {"text": None, "html": "<p>" + "x" * (1024 * 1024)}):
        answer = await desk.call("POST", "/v1/messages", builders.message(conversation, **words))
        problem(answer, 413, "too_large")
    whole = await desk.call("POST", "/v1/messages", builders.message(conversation, text="x" * (40 * 1024 * 1024)))
    problem(whole, 413, "too_large")
    problem(
        await desk.call("POST", "/v1/messages", builders.message(conversation, subject="é" * 500)), 422, None, "subject"
    )
    big = builders.signature(text="x" * (64 * 1024 + 1))
    answer = await desk.call("PUT", f"/v1/channels/{channel}/signatures/default", big)
    assert answer.status_code in (413, 422)
    problem(answer, answer.status_code, None, "text")


async def test_the_largest_texts_go_out_whole(desk: Desk, channel: str, peer: Peer) -> None:
    text = "0123456789abcdef" * (60 * 1024) + "\n"
    await desk.send(await desk.conversation(channel, "whole@client.test"), text=text, subject="s" * 998)
    (mail,) = await arrived(peer, "whole@client.test")
    assert mail.text == text
    assert mail.header("Subject") == "s" * 998
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998


async def test_fifty_recipients_and_not_one_more(desk: Desk, channel: str, peer: Peer) -> None:
    crowd = list(builders.recipients(51, "crowd"))
    refused = await desk.call("POST", "/v1/conversations", builders.conversation(channel, *crowd))
    problem(refused, 422, "invalid", "clients")
    await desk.start(channel, *crowd[:50], first=builders.words())
    (mail,) = await arrived(peer, crowd[49])
    assert len(mail.recipients) == 50
    assert not mails(peer, crowd[50])


async def test_a_wrong_if_match_changes_nothing(desk: Desk, channel: str, peer: Peer) -> None:
    body = builders.channel(builders.server(peer.port), name="Overwritten")
    own = f"/v1/channels/{channel}/signatures/operators/{desk.ana}"
    for path, wish in (
        (f"/v1/channels/{channel}", body),
        (f"/v1/operators/{desk.ana}", builders.operator("Overwritten")),
        (own, builders.signature(text="Overwritten")),
        (f"/v1/channels/{channel}/signatures/policy", {"operators_sign": False, "default_enabled": False}),
    ):
        problem(await desk.call("PUT", path, wish, headers={"If-Match": '"999"'}), 412, "version_mismatch")
        odd = await desk.call("PUT", path, wish, headers={"If-Match": "version nine"})
        assert odd.status_code in (400, 412, 422), odd.text
        problem(odd, odd.status_code)
    assert (await desk.ok("GET", f"/v1/channels/{channel}"))["name"] != "Overwritten"
    assert (await desk.ok("GET", f"/v1/channels/{channel}/signatures"))["operators"] == []
    gone = await desk.call("DELETE", f"/v1/channels/{channel}", headers={"If-Match": '"999"'})
    problem(gone, 412, "version_mismatch")


async def test_a_repeated_key_gives_the_same_answer_and_one_mail(desk: Desk, channel: str, peer: Peer) -> None:
    conversation = await desk.conversation(channel, "key@client.test")
    headers = {"Idempotency-Key": str(uuid7())}
    body = builders.message(conversation)
    answers = await asyncio.gather(*(desk.call("POST", "/v1/messages", body, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["message_id"] for answer in answers}) == 1
    await desk.reached(answers[0].json()["message_id"], "sent")
    later = await desk.call("POST", "/v1/messages", body, headers=headers)
    assert (later.status_code, later.json()["message_id"]) == (202, answers[0].json()["message_id"])
    other = await desk.call("POST", "/v1/messages", builders.message(conversation, text="Other"), headers=headers)
    problem(other, 409, "idempotency_mismatch")
    await arrived(peer, "key@client.test")


async def test_a_repeated_start_gives_the_same_conversation_and_one_mail(desk: Desk, channel: str, peer: Peer) -> None:
    headers = {"Idempotency-Key": str(uuid7())}
    body = builders.conversation(channel, "startkey@client.test", first=builders.words())
    first, second = [await desk.call("POST", "/v1/conversations", body, headers=headers) for _ in range(2)]
    assert first.status_code == second.status_code == 202
    assert first.json()["conversation_id"] == second.json()["conversation_id"]
    assert first.json()["message"]["message_id"] == second.json()["message"]["message_id"]
    other = builders.conversation(channel, "startkey2@client.test", first=builders.words())
    problem(await desk.call("POST", "/v1/conversations", other, headers=headers), 409, "idempotency_mismatch")
    await arrived(peer, "startkey@client.test")
    assert not mails(peer, "startkey2@client.test")


async def test_a_missing_or_odd_key_is_named(desk: Desk, channel: str) -> None:
    body = builders.message(await desk.conversation(channel, "nokey@client.test"))
    for key in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 300}):
        answer = await desk.http.post("/v1/messages", json=body, headers={**desk.auth(), **key})
        assert answer.status_code in (400, 422), answer.text
        said = problem(answer, answer.status_code)
        assert "idempotency-key" in json.dumps(said).lower()


@pytest.mark.parametrize(
    "template",
    [
        {"text": "{% for i in (1..100000000) %}{% for j in (1..100000000) %}x{% endfor %}{% endfor %}"},
        {"text": "{% for i in (1..50000) %}a line that is long enough to be too much{% endfor %}"},
        {"text": "{% if operator.name %}never closed"},
        {"text": "{{ operator.name "},
        {"text": "{{ operator.password }}"},
        {"text": "{{ secrets }}"},
        {"text": "{% include 'other' %}"},
        {"html": "<p>{{ 'x' | no_such_filter }}</p>"},
        {"html": '<img src="http://tracker.test/pixel.png">'},
    ],
    ids=["loops", "too-much", "unclosed", "broken", "forbidden", "unknown", "include", "filter", "http-image"],
)
async def test_a_template_that_loops_or_is_broken(desk: Desk, channel: str, template: Json) -> None:
    path = f"/v1/channels/{channel}/signatures"
    wish = builders.signature(**template)
    problem(await desk.call("PUT", f"{path}/operators/{desk.rui}", wish), 422, "invalid", next(iter(template)))
    shown = await desk.call("POST", f"{path}/preview", {"template": wish, "operator_id": desk.rui})
    problem(shown, 422, "invalid", next(iter(template)))
    assert not [one for one in (await desk.ok("GET", path))["operators"] if one["operator_id"] == desk.rui]


async def test_an_unknown_path_or_verb_is_a_problem_too(desk: Desk) -> None:
    problem(await desk.call("GET", "/v1/nothing"), 404, "not_found")
    problem(await desk.call("DELETE", "/v1/messages"), 405, "method_not_allowed")
    problem(await desk.call("GET", "/v1/messages/%00"), 404, "not_found")
    answer = await desk.http.get("/v1/channels", headers=desk.auth(), params={"cursor": "what?"})
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)
