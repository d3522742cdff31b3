"""Interrupts at awkward moments, and what becomes of recipients a server refuses or puts off."""

from __future__ import annotations

from tests import builders
from tests.e2e.desk import Desk
from tests.e2e.mail import arrived, octets_for
from tests.infra.smtp_peer import Action, Peer, Rule, Stage


async def test_an_interrupt_at_once_wins_before_there_is_a_number(desk: Desk, slow: str, peer: Peer) -> None:
    conversation = await desk.conversation(slow, "atonce@client.test")
    answer = await desk.interrupt(await desk.send(conversation))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "interrupted"), answer.text
    assert octets_for(peer, "atonce@client.test") == 0


async def test_an_interrupt_of_an_open_transmission_is_held_and_answered(desk: Desk, channel: str, peer: Peer) -> None:
    peer.script(Rule(Stage.FINAL, Action.PASS, delay=1.0, recipient="held@"))
    message = await desk.send(await desk.conversation(channel, "held@client.test"))
    assert not (await desk.reached(message, "committed"))["interruptible"]
    answer = await desk.interrupt(message)
    assert (answer.status_code, answer.json()["message_status"]) == (409, "sent"), answer.text


async def test_a_refused_recipient_is_reported_beside_the_accepted(desk: Desk, channel: str, peer: Peer) -> None:
    peer.script(Rule(Stage.RCPT, code=550, text="5.1.1 no such user", recipient="nobody@"))
    started = await desk.start(channel, "nobody@client.test", "somebody@client.test", first=builders.words())
    seen = await desk.reached(started["message"]["message_id"], "sent")
    states = {one["address"]: (one["state"], one["code"], one["enhanced"]) for one in seen["recipients"]}
    assert states["nobody@client.test"] == ("refused", 550, "5.1.1")
    assert states["somebody@client.test"][0] == "accepted"


async def test_a_temporary_refusal_is_tried_again(desk: Desk, channel: str, peer: Peer) -> None:
    peer.script(Rule(Stage.RCPT, recipient="grey@", times=1))
    message = await desk.send(await desk.conversation(channel, "grey@client.test"))
    assert (await desk.reached(message, "sent"))["attempt"] == 2
    await arrived(peer, "grey@client.test")
