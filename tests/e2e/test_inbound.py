"""What arrives on a mailbox, from its event to the page: told to the gateway as ingest tells it, without ingest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from contracts.blob import BlobRef
from contracts.event import Event
from contracts.inbound import InboundAddress, InboundAttachment
from services.kit.blobs import Blobs
from services.kit.ids import uuid7
from services.kit.mongo import connect
from services.kit.publisher import Publisher
from tests.builders import Json
from tests.e2e.desk import Desk
from tests.e2e.ear import Ear
from tests.e2e.mail import arrived
from tests.e2e.pages import Page
from tests.e2e.problems import problem
from tests.infra.smtp_peer import Peer
from tests.infra.stack import Stack
from tests.unit.gateway import mails

PAGES, PAGES_MB = 200, 150


@pytest.fixture(scope="module")
async def ingest(stack: Stack) -> AsyncIterator[Publisher]:
    """Publishes what ingest would."""
    made = Publisher(stack.kafka, "test-ingest")
    await made.start()
    yield made
    await made.stop()


def mail(desk: Desk, channel: str, conversation: str, **changes: Any) -> Event[Any]:
    """A mail that arrives now."""
    return mails.mail(channel, conversation, tenant=desk.tenant, at=mails.this_moment(), **changes)


async def shown(desk: Desk, conversation: str, message_id: str) -> Json:
    """Wait until the message stands in its conversation; the conversation."""
    path = f"/v1/conversations/{conversation}"
    limit = time.monotonic() + 20
    while True:
        answer = await desk.call("GET", path)
        found: Json = answer.json()
        if answer.is_success and message_id in [one["message_id"] for one in found["messages"]["items"]]:
            return found
        assert time.monotonic() < limit, answer.text
        await asyncio.sleep(0.05)


def page(desk: Desk, last_id: str | None = None, **token: Any) -> Page:
    """An open page of the desk."""
    token = {"ttl_s": 3600, **token}
    auth = desk.stack.token(desk.tenant, ["conversations:read"], operator=desk.ana, **token)
    return Page(f"{desk.stack.gateway_url}/v1/events", {"Authorization": f"Bearer {auth}"}, last_id)


async def test_the_answer_appears_live_in_the_same_conversation(
    desk: Desk, channel: str, peer: Peer, ingest: Publisher
) -> None:
    conversation = await desk.conversation(channel, "answers@client.test")
    first = await desk.send(conversation, subject="Your order")
    sent = await desk.reached(first, "sent")
    told = mail(desk, channel, conversation, subject="Re: Your order", text="When?", new_part="When?",
                references=(sent["internet_message_id"],))  # fmt: skip
    async with page(desk) as live:
        began = time.monotonic()
        await ingest.publish(told)
        await live.until(lambda: told.data.message_id in live.changed("message"))
        assert live.told[-1].at - began < 5
        change = next(one for one in live.told if one.said["id"] == told.data.message_id).said
        assert (change["kind"], change["conversation_id"]) == ("message", conversation)
        assert conversation in live.changed("conversation")
    seen = await shown(desk, conversation, told.data.message_id)
    assert [(one["direction"], one["subject"]) for one in seen["messages"]["items"]] == [
        ("in", "Re: Your order"), ("out", "Your order"),
    ]  # fmt: skip
    assert (seen["unread"], seen["last"]["preview"], seen["last"]["kind"]) == (1, "When?", "received")
    await desk.ok("POST", f"/v1/conversations/{conversation}/read", {"message_id": told.data.message_id})
    assert (await desk.ok("GET", f"/v1/conversations/{conversation}"))["unread"] == 0
    reply = await desk.call("POST", "/v1/messages", {"conversation_id": conversation, "text": "Today."})
    assert (reply.status_code, reply.json()["subject"]) == (202, "Re: Your order")
    await desk.reached(reply.json()["message_id"], "sent")
    (_, out) = await arrived(peer, "answers@client.test", 2)
    assert out.header("In-Reply-To") == told.data.internet_message_id
    assert out.header("References").split() == [sent["internet_message_id"], told.data.internet_message_id]


async def test_told_again_it_changes_nothing(desk: Desk, channel: str, ingest: Publisher) -> None:
    conversation = str(uuid4())
    told = mail(desk, channel, conversation)
    last = mail(desk, channel, conversation, subject="Later")
    for one in (told, told, told, last, told):
        await ingest.publish(one)
    seen = await shown(desk, conversation, last.data.message_id)
    await asyncio.sleep(1)
    seen = await desk.ok("GET", f"/v1/conversations/{conversation}")
    assert (seen["unread"], len(seen["messages"]["items"])) == (2, 2)


async def test_somebody_new_opens_a_conversation_and_can_be_answered(
    desk: Desk, channel: str, peer: Peer, ingest: Publisher, ear: Ear
) -> None:
    conversation = str(uuid4())
    sender = InboundAddress(address="novo@client.test", name="João Novo")
    told = mail(desk, channel, conversation, sender=sender, subject="Orçamento")
    await ingest.publish(told)
    seen = await shown(desk, conversation, told.data.message_id)
    assert (seen["participants"], seen["created_by"]) == ([{"address": "novo@client.test", "name": "João Novo"}], None)
    heard = await ear.until(
        lambda: [one for one in ear.events("malote.conversations.v1") if one.data.conversation_id == conversation],
        what="ConversationChanged",
    )
    assert [one.address for one in heard[0].data.participants] == ["novo@client.test"]
    listed = await desk.ok("GET", "/v1/conversations", params={"view": "unread", "q": "orcam joao"})
    assert [one["conversation_id"] for one in listed["items"]] == [conversation]
    await desk.reached(await desk.send(conversation, subject=None), "sent")
    (out,) = await arrived(peer, "novo@client.test")
    assert (out.header("Subject"), out.header("In-Reply-To")) == ("Re: Orçamento", told.data.internet_message_id)
    stranger = mail(desk, channel, conversation, sender=InboundAddress(address="x@else.test"), new_participant=True)
    await ingest.publish(stranger)
    seen = await shown(desk, conversation, stranger.data.message_id)
    assert [one.get("new_participant") for one in seen["messages"]["items"]] == [True, None, False]
    assert len(seen["participants"]) == 1


async def test_a_bounce_is_seen_at_its_message_and_an_unreadable_mail_at_its_channel(
    desk: Desk, channel: str, ingest: Publisher
) -> None:
    conversation = await desk.conversation(channel, "bounced@client.test")
    message = await desk.send(conversation)
    await desk.reached(message, "sent")
    report = mails.bounce(channel, conversation, message, tenant=desk.tenant, at=mails.this_moment())
    await ingest.publish(report)
    seen = await shown(desk, conversation, report.data.message_id)
    out = next(one for one in seen["messages"]["items"] if one["message_id"] == message)
    assert out["status"] == "sent"
    assert [(one["message_id"], one["recipients"][0]["status"]) for one in out["bounces"]] == [
        (report.data.message_id, "5.1.1")
    ]
    unreadable = mails.unreadable(channel, tenant=desk.tenant)
    await ingest.publish(unreadable)
    found = await desk.until(f"/v1/channels/{channel}/quarantined", lambda seen: bool(seen["items"]))
    assert [(one["message_id"], one["reason"]) for one in found["items"]] == [(unreadable.data.message_id, "cpu")]


async def test_attachments_and_uploads_stay_with_their_tenant(
    stack: Stack, desk: Desk, channel: str, ingest: Publisher
) -> None:
    client = connect(stack.mongo)
    octets = b"%PDF" * 2_000_000
    ref: BlobRef = await Blobs(client["malote_blobs"]).put(desk.tenant, octets, "application/pdf")
    client.close()
    part = InboundAttachment(blob=ref, file_name="conta março.pdf")
    told = mail(desk, channel, str(uuid4()), attachments=(part,))
    await ingest.publish(told)
    seen = await shown(desk, told.data.conversation_id, told.data.message_id)
    (one,) = seen["messages"]["items"][0]["attachments"]
    got = await desk.call("GET", f"/v1/blobs/{one['blob_id']}")
    assert got.content == octets
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["x-content-type-options"] == "nosniff"
    uploaded = await desk.http.post(
        "/v1/uploads", params={"file_name": "a.bin"}, content=b"x" * 5_000_000, headers=desk.auth()
    )
    assert uploaded.status_code == 201, uploaded.text
    async with await Desk.open(stack) as foreign:
        for blob_id in (ref.blob_id, uploaded.json()["blob_id"]):
            mine = await desk.call("GET", f"/v1/blobs/{blob_id}")
            assert mine.status_code == 200
            answers = [await foreign.call("GET", f"/v1/blobs/{one}") for one in (blob_id, str(uuid7()))]
            problem(answers[0], 404, "not_found")
            assert answers[0].content == answers[1].content


async def test_a_page_comes_back_through_a_gateway_restart_and_misses_nothing(
    stack: Stack, desk: Desk, channel: str, ingest: Publisher
) -> None:
    conversation = await desk.conversation(channel, "restart@client.test")
    async with page(desk) as live:
        before = mail(desk, channel, conversation)
        await ingest.publish(before)
        await live.until(lambda: before.data.message_id in live.changed("message"))
        began = time.monotonic()
        assert await stack.terminate("gateway-0") == 0
        assert time.monotonic() - began < 5
        assert live.names()[-1] == "end"
    missed = mail(desk, channel, conversation)
    await ingest.publish(missed)
    await stack.restart("gateway-0")
    async with page(desk, live.last_id) as back:
        await back.until(lambda: missed.data.message_id in back.changed("message"))
        assert "reset" not in back.names()
        assert before.data.message_id not in back.changed("message")
    async with page(desk, "0.AAAAAAAAAAAAAAAA") as unknown:
        assert unknown.names() == ["reset"]


async def test_a_page_hears_of_its_own_tenant_alone_and_ends_with_its_token(
    stack: Stack, desk: Desk, channel: str, ingest: Publisher
) -> None:
    async with await Desk.open(stack) as other, page(other) as foreign, page(desk, ttl_s=3) as short:
        told = mail(desk, channel, str(uuid4()))
        await ingest.publish(told)
        await short.until(lambda: told.data.message_id in short.changed("message"))
        await short.until(lambda: short.over, 10)
        assert short.told[-1].said["reason"] == "token_expired"
        assert all(one.name == "change" and one.said["kind"] in ("operator", "tenant") for one in foreign.told)
    answer = await desk.call("GET", "/v1/events", headers={"Authorization": "Bearer nonsense"})
    problem(answer, 401, "unauthenticated")


async def test_two_hundred_open_pages_cost_little(stack: Stack, desk: Desk, channel: str, ingest: Publisher) -> None:
    before = _resident_mb(stack.pids["gateway-0"])
    async with AsyncExitStack() as opened:
        pages = await asyncio.gather(*(opened.enter_async_context(page(desk)) for _ in range(PAGES)))
        told = mail(desk, channel, str(uuid4()))
        await ingest.publish(told)
        for one in pages:
            await one.until(partial(_heard, one, told.data.message_id))
        after = _resident_mb(stack.pids["gateway-0"])
    print(f"{PAGES} pages: {before:.0f} -> {after:.0f} MB")
    assert after - before < PAGES_MB


def _heard(one: Page, message_id: str) -> bool:
    return message_id in one.changed("message")


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024
