"""The whole story, over REST to the bytes at the client's server and back. In CI it runs on containers besides."""

from __future__ import annotations

import asyncio
from email.utils import getaddresses, parsedate_to_datetime

from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived, mails, octets_for, signed
from tests.infra.smtp_peer import Action, Peer, Rule, Stage


async def test_an_account_is_listed_with_its_state(desk: Desk, channel: str) -> None:
    listed = (await desk.ok("GET", "/v1/channels"))["items"]
    found = next(one for one in listed if one["channel_id"] == channel)
    assert (found["name"], found["write_first"]) == ("Support", True)
    assert found["created_at"]
    assert found["status"]["smtp"]["state"] == "connected"
    assert (found["status"]["imap"]["state"], found["status"]["imap"]["reason"]) == ("disabled", "not_watched")
    assert builders.PASSWORD not in str(found)
    assert "jwe" not in str(found)


async def test_a_mail_has_the_right_envelope_and_headers(desk: Desk, channel: str, peer: Peer) -> None:
    conversation = await desk.conversation(channel, "carla@client.test")
    message = await desk.send(
        conversation, subject="Sua encomenda está a caminho", text="Olá Carla,\nsai hoje.\n.\nAté!"
    )
    (mail,) = await arrived(peer, "carla@client.test")
    assert (mail.sender, mail.recipients) == ("desk@desk.test", ("carla@client.test",))
    assert getaddresses([mail.header("From")]) == [("The Desk", "desk@desk.test")]
    assert getaddresses([mail.header("To")]) == [("", "carla@client.test")]
    assert mail.header("Subject") == "Sua encomenda está a caminho"
    assert mail.text.startswith("Olá Carla,\nsai hoje.\n.\nAté!")
    assert mail.header("Message-ID").endswith("@desk.test>")
    assert parsedate_to_datetime(mail.header("Date"))
    assert not mail.header("In-Reply-To")
    assert "Bcc" not in mail.content
    seen = await desk.reached(message, "sent")
    assert seen["internet_message_id"] == mail.header("Message-ID")
    assert [(one["address"], one["state"], one["code"]) for one in seen["recipients"]] == [
        ("carla@client.test", "accepted", 250)
    ]
    assert not seen["interruptible"]


async def test_html_goes_out_beside_text_and_without_scripts(desk: Desk, channel: str, peer: Peer) -> None:
    conversation = await desk.conversation(channel, "html@client.test")
    await desk.send(conversation, text=None, html="<p>Hello <b>you</b></p><script>alert(1)</script>")
    (mail,) = await arrived(peer, "html@client.test")
    assert mail.content.get_content_type() == "multipart/alternative"
    assert "<b>you</b>" in mail.html
    assert "script" not in mail.html
    assert "Hello you" in mail.text


async def test_what_follows_is_threaded(desk: Desk, channel: str, peer: Peer) -> None:
    started = await desk.start(channel, "thread@client.test", first=builders.words(subject="Hello"))
    (first,) = await arrived(peer, "thread@client.test")
    await desk.send(started["conversation_id"], subject="Hello again")
    second = (await arrived(peer, "thread@client.test", 2))[1]
    await desk.send(started["conversation_id"], subject="And again")
    third = (await arrived(peer, "thread@client.test", 3))[2]
    assert second.header("In-Reply-To") == first.header("Message-ID")
    assert second.header("References").split() == [first.header("Message-ID")]
    assert third.header("In-Reply-To") == second.header("Message-ID")
    assert third.header("References").split() == [first.header("Message-ID"), second.header("Message-ID")]
    opened = await desk.ok("GET", f"/v1/conversations/{started['conversation_id']}")
    assert [one["subject"] for one in opened["messages"]["items"]] == ["And again", "Hello again", "Hello"]


async def test_several_clients_are_in_one_mail(desk: Desk, channel: str, peer: Peer) -> None:
    clients = ("one@client.test", "two@client.test", "three@client.test")
    started = await desk.start(channel, *clients, first=builders.words())
    (mail,) = await arrived(peer, "two@client.test")
    assert mail.recipients == clients
    assert [address for _, address in getaddresses([mail.header("To")])] == list(clients)
    assert (await desk.reached(started["message"]["message_id"]))["status"] == "sent"


async def test_a_conversation_without_a_message_sends_nothing(desk: Desk, channel: str, peer: Peer) -> None:
    started = await desk.start(channel, "silent@client.test")
    await asyncio.sleep(1)
    assert started.get("message") is None
    assert not mails(peer, "silent@client.test")


async def test_each_operator_signs_with_their_own_and_the_rest_with_the_default(desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Signed")
    own = builders.signature(html="<p>{{ operator.name }}, <i>{{ channel.name }}</i></p>")
    await desk.sign(channel, f"operators/{desk.ana}", own)
    await desk.sign(channel, "default", builders.signature(text="Your {{ tenant.name }} team for {{ client.address }}"))
    mail, why = await signed(desk, channel, peer, "own@client.test", desk.ana, html="<p>Body</p>", text="Body")
    assert why == "own"
    assert mail.text.rstrip().endswith("Body\n\n-- \nAna Prado, Signed")
    assert "<i>Signed</i>" in mail.html
    assert mail.html.index("Body") < mail.html.index("Ana Prado")
    mail, why = await signed(desk, channel, peer, "default@client.test", desk.rui)
    assert why == "default"
    assert mail.text == "It leaves today.\n\n-- \nYour Acme team for default@client.test\n"


async def test_queued_messages_are_interrupted_and_never_reach_the_server(desk: Desk, slow: str, peer: Peer) -> None:
    conversation = await desk.conversation(slow, "undo@client.test")
    message = await desk.send(conversation)
    assert (await desk.reached(message, "queued"))["interruptible"]
    answer = await desk.interrupt(message)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "interrupted"), answer.text
    again = await desk.interrupt(message)
    assert (again.status_code, again.json()["outcome"]) == (200, "already_interrupted"), again.text
    seen = await desk.message(message)
    assert (seen["status"], seen["interruptible"]) == ("interrupted", False)
    assert octets_for(peer, "undo@client.test") == 0


async def test_sent_messages_are_too_late(desk: Desk, channel: str, peer: Peer) -> None:
    message = await desk.send(await desk.conversation(channel, "late@client.test"))
    await desk.reached(message, "sent")
    answer = await desk.interrupt(message)
    said = answer.json()
    assert (answer.status_code, said["code"], said["message_status"]) == (409, "too_late", "sent")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_writes_first_where_it_is_switched_off(desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Answers only", address="answers@desk.test")
    conversation = await desk.conversation(channel, "wf@client.test")
    seen = await desk.call("GET", f"/v1/channels/{channel}")
    body = builders.channel(
        builders.server(peer.port, secret=None), name="Answers only", address="answers@desk.test", write_first=False
    )
    body["imap"] = builders.server(builders.IMAP_PORT, secret=None, security="tls")
    await desk.ok("PUT", f"/v1/channels/{channel}", body, headers={"If-Match": seen.headers["etag"]})
    refused = await desk.call("POST", "/v1/conversations", builders.conversation(channel, "new@client.test"))
    assert (refused.status_code, refused.json()["code"]) == (403, "write_first_disabled")
    await desk.send(conversation, subject="Re: hello")
    await arrived(peer, "wf@client.test")


async def test_a_hidden_message_is_out_of_sight_and_arrives_all_the_same(desk: Desk, channel: str, peer: Peer) -> None:
    conversation = await desk.conversation(channel, "hide@client.test")
    message = await desk.send(conversation, subject="Never mind")
    await desk.ok("POST", f"/v1/messages/{message}/hide")
    opened = await desk.ok("GET", f"/v1/conversations/{conversation}")
    assert opened["messages"]["items"] == []
    await arrived(peer, "hide@client.test")
    await desk.ok("POST", f"/v1/conversations/{conversation}/hide")
    listed = (await desk.ok("GET", "/v1/conversations", params={"channel_id": channel}))["items"]
    assert conversation not in [one["conversation_id"] for one in listed]


async def _parked(desk: Desk, channel: str, peer: Peer, client: str) -> str:
    peer.script(Rule(Stage.FINAL, Action.DROP, recipient=client, times=1))
    message = await desk.send(await desk.conversation(channel, client))
    seen = await desk.reached(message, "failed")
    assert (seen["reason"], seen["recipients"][0]["state"]) == ("outcome_unknown", "unknown")
    return message


async def test_a_parked_message_is_sent_again_by_hand(desk: Desk, channel: str, peer: Peer) -> None:
    message = await _parked(desk, channel, peer, "parked@client.test")
    answer = await desk.call("POST", f"/v1/messages/{message}/resend")
    assert answer.status_code == 202, answer.text
    again = answer.json()
    assert again["resend_of"] == message
    assert (await desk.reached(again["message_id"]))["status"] == "sent"
    assert len(await arrived(peer, "parked@client.test")) == 1
    assert (await desk.call("POST", f"/v1/messages/{message}/resend")).status_code == 409
    assert (await desk.message(message))["status"] == "failed"


async def test_a_parked_message_is_marked_as_sent_by_hand(desk: Desk, channel: str, peer: Peer) -> None:
    message = await _parked(desk, channel, peer, "marked@client.test")
    await desk.ok("POST", f"/v1/messages/{message}/mark-sent")
    seen = await desk.message(message)
    assert (seen["status"], seen["resolution"]["kind"]) == ("failed", "marked_sent")


async def test_a_channel_connects_again_by_hand(desk: Desk, channel: str, peer: Peer) -> None:
    before = len([one for one in peer.history.entries if one.event == "authenticated"])
    await desk.ok("POST", f"/v1/channels/{channel}/reconnect")
    await desk.smtp(channel, "connected")
    limit = asyncio.get_running_loop().time() + 10
    while len([one for one in peer.history.entries if one.event == "authenticated"]) == before:
        assert asyncio.get_running_loop().time() < limit, "nobody logged in again"
        await asyncio.sleep(0.05)


async def test_what_waits_on_a_removed_channel_fails_and_says_so(desk: Desk, peer: Peer) -> None:
    channel = await desk.connected(peer.port, name="Short-lived", undo_seconds=120)
    message = await desk.send(await desk.conversation(channel, "removed@client.test"))
    await desk.reached(message, "queued")
    await desk.ok("DELETE", f"/v1/channels/{channel}")
    assert (await desk.reached(message, "failed"))["reason"] == "channel_removed"
    assert (await desk.call("GET", f"/v1/channels/{channel}")).status_code == 404
    assert octets_for(peer, "removed@client.test") == 0
