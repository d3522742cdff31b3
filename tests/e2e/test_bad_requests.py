"""Sizes, versions, keys and templates that are wrong: told clearly, and afterwards a good message goes out."""

from __future__ import annotations

import asyncio
import json

import pytest

from services.kit.ids import uuid7
from tests import builders
from tests.builders import Json
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived, mails
from tests.e2e.problems import problem
from tests.infra.smtp_peer import Peer

pytestmark = pytest.mark.usefixtures("still_works")


async def test_too_large(desk: Desk, channel: str) -> None:
    conversation = await desk.conversation(channel, "large@client.test")
    for words in ({"text": "é" * (600 * 1024)}, {"text": None, "html": "<p>" + "x" * (1024 * 1024)}):
        answer = await desk.call("POST", "/v1/messages", builders.message(conversation, **words))
        problem(answer, 413, "too_large")
    whole = await desk.call("POST", "/v1/messages", builders.message(conversation, text="x" * (40 * 1024 * 1024)))
    problem(whole, 413, "too_large")
    settings = builders.channel(builders.server(2525), name="x" * (600 * 1024))
    problem(await desk.call("POST", "/v1/channels", settings), 413, "too_large")
    for purpose, octets in (("attachment", 25 * 1024 * 1024 + 1), ("signature_image", 200 * 1024 + 1)):
        query = {"file_name": "large.png", "purpose": purpose}
        large = b"\x89PNG\r\n\x1a\n".ljust(octets, b"\x00")
        answer = await desk.http.post("/v1/uploads", params=query, content=large, headers=desk.auth())
        problem(answer, 413, "too_large")
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
    problem(shown, 422, "invalid", f"template.{next(iter(template))}")
    assert not [one for one in (await desk.ok("GET", path))["operators"] if one["operator_id"] == desk.rui]


async def test_an_unknown_path_or_verb_is_a_problem_too(desk: Desk) -> None:
    problem(await desk.call("GET", "/v1/nothing"), 404, "not_found")
    problem(await desk.call("DELETE", "/v1/messages"), 405, "method_not_allowed")
    problem(await desk.call("GET", "/v1/messages/%00"), 404, "not_found")
    answer = await desk.http.get("/v1/channels", headers=desk.auth(), params={"cursor": "what?"})
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)
