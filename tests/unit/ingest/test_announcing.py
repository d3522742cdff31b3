"""What becomes of each kind of mail: whose conversation, which event, announced or not."""

from __future__ import annotations

import hashlib

import pytest

from contracts.inbound import Auto, AutoReplyReceived, BounceReceived, MessageQuarantined, MessageReceived, ThreadedBy
from contracts.threading import mint
from services.ingest.ports import OwnMail
from tests.fakes.ingest_mailbox import mail
from tests.unit.ingest.world import CHANNEL, KEY, RING, TENANT, Process, World

MESSAGE = "0195a000-0000-7000-8000-00000000000a"
CONVERSATION = "0195a000-0000-7000-8000-00000000000b"
TOKEN = mint(
    RING, tenant=TENANT, channel_id=CHANNEL, message_id=MESSAGE, conversation_id=CONVERSATION, domain="acme.test"
)
FOREIGN = mint(
    RING, tenant=TENANT, channel_id=MESSAGE, message_id=MESSAGE, conversation_id=CONVERSATION, domain="x.test"
)


@pytest.fixture
async def world() -> World:
    """A mailbox that was empty when it was first watched."""
    made = World()
    first = Process(made).start()
    await first.until(lambda: KEY in made.cursors.cursors and made.cursors.cursors[KEY].uidvalidity is not None)
    await first.kill()
    return made


async def announced(world: World, *mails: bytes) -> None:
    """These arrive and are taken, in slices as they come."""
    process = Process(world).start()
    for octets in mails:
        uid = world.server.add(octets)
        await process.until(lambda at=uid: world.cursors.cursors[KEY].last_uid >= at)  # type: ignore[misc]
    await process.kill()


async def test_what_was_there_before_is_not_announced() -> None:
    world = World()
    world.server.add(mail("old"))
    process = Process(world).start()
    await process.until(lambda: world.statuses.states()[-1:] == ["connected/none"])
    world.server.add(mail("new"))
    await process.until(lambda: world.subjects() == ["new"])
    await process.kill()
    assert world.server.fetched == [2]


async def test_a_mail_says_what_it_is(world: World) -> None:
    await announced(world, mail("hello", "In-Reply-To: <nobody@far.test>"))
    (told,) = world.mails
    assert isinstance(told, MessageReceived)
    assert (told.subject, told.sender.address, told.place.uid) == ("hello", "client@far.test", 1)  # type: ignore[union-attr]
    assert told.raw.sha256 == told.sha256
    assert world.raw.kept[f"{TENANT}/{told.raw.blob_id}"].octets == mail("hello", "In-Reply-To: <nobody@far.test>")


async def test_a_reply_joins_by_token_then_by_ledger_then_by_root(world: World) -> None:
    await announced(
        world, mail("a", f"In-Reply-To: {TOKEN}"), mail("b", "In-Reply-To: <a@far.test>"),
        mail("c", "References: <x@far.test> <a@far.test>"), mail("d", "References: <root@far.test> <y@far.test>"),
        mail("e", "In-Reply-To: <root@far.test>"), mail("f"), mail("g", f"In-Reply-To: {FOREIGN}"),
    )  # fmt: skip
    by = [(each.threaded_by, each.conversation_id) for each in world.mails]
    assert by[:3] == [
        (ThreadedBy.TOKEN, CONVERSATION), (ThreadedBy.LEDGER, CONVERSATION), (ThreadedBy.LEDGER, CONVERSATION)
    ]  # fmt: skip
    assert by[3][1] == by[4][1]
    assert len({conversation for _, conversation in by}) == 4
    assert by[6][0] is ThreadedBy.ROOT, "a token of another channel proves nothing"


async def test_a_parent_in_the_same_slice_is_found(world: World) -> None:
    world.server.add(mail("a", f"In-Reply-To: {TOKEN}"))
    world.server.add(mail("b", "In-Reply-To: <a@far.test>"))
    process = Process(world).start()
    await process.until(lambda: len(world.mails) == 2)
    await process.kill()
    assert {each.conversation_id for each in world.mails} == {CONVERSATION}


async def test_a_stranger_in_a_known_conversation_is_flagged(world: World) -> None:
    world.participants.conversations[TENANT, CONVERSATION] = frozenset({"client@far.test"})
    reply = f"In-Reply-To: {TOKEN}"
    await announced(
        world, mail("a", reply), mail("b", reply, sender="Client@FAR.test"), mail("c", reply, sender="x@y.z")
    )
    assert [each.new_participant for each in world.mails] == [False, False, True]


async def test_two_mails_with_one_message_id_are_two_mails_in_one_conversation(world: World) -> None:
    same = "Message-ID: <same@far.test>"
    await announced(world, mail("a", same), mail("b", same))
    assert world.subjects() == ["a", "b"]
    assert len({each.message_id for each in world.mails}) == 2
    assert len({each.conversation_id for each in world.mails}) == 1


async def test_a_copy_is_not_announced_again(world: World) -> None:
    await announced(world, mail("a"), mail("b"), mail("a"))
    assert world.subjects() == ["a", "b"]


async def test_a_mail_without_any_id_has_a_conversation_of_its_own(world: World) -> None:
    bare = [mail(subject).replace(f"Message-ID: <{subject}@far.test>\r\n".encode(), b"") for subject in "ab"]
    await announced(world, *bare)
    assert len({each.conversation_id for each in world.mails}) == 2


def own(known: OwnMail | None, world: World, *, sender: str = "desk@acme.test") -> bytes:
    """A message of ours as it comes back: with what servers put before it."""
    ours = mail("ours", f"Message-ID: {TOKEN}", sender=sender)
    if known is not None:
        world.own_mails.mails[TENANT, MESSAGE] = known
    return b"Received: from far\r\n" + ours


async def test_our_own_mail_is_linked_and_not_announced(world: World) -> None:
    ours = mail("ours", f"Message-ID: {TOKEN}", sender="desk@acme.test")
    octets = own(OwnMail(hashlib.sha256(ours).hexdigest(), len(ours)), world)
    await announced(world, octets, mail("answer", f"In-Reply-To: {TOKEN}"))
    assert world.subjects() == ["answer"]
    assert world.ledger.threads[KEY, TOKEN] == CONVERSATION


@pytest.mark.parametrize("changed", [False, True])
async def test_our_own_large_mail_is_known_by_its_last_octets_too(world: World, changed: bool) -> None:
    ours = mail("ours", f"Message-ID: {TOKEN}", sender="desk@acme.test", body="x" * 1_500_000)
    world.own_mails.mails[TENANT, MESSAGE] = OwnMail(hashlib.sha256(ours).hexdigest(), len(ours))
    octets = ours.replace(b"xxx\r\n", b"xxy\r\n") if changed else ours
    await announced(world, b"Received: from far\r\n" + octets, mail("after"))
    assert world.subjects() == (["ours", "after"] if changed else ["after"])
    assert len(world.raw.holding) == 1, "it never stood in memory"


@pytest.mark.parametrize(
    ("known", "sender"),
    [
        (None, "desk@acme.test"),
        (OwnMail("0" * 64, 100), "desk@acme.test"),
        (OwnMail("0" * 64, 10_000), "desk@acme.test"),
        ("right", "thief@far.test"),
    ],
)
async def test_what_only_claims_to_be_ours_is_announced_as_a_loop(
    world: World, known: OwnMail | str | None, sender: str
) -> None:
    ours = mail("ours", f"Message-ID: {TOKEN}", sender=sender)
    right = OwnMail(hashlib.sha256(ours).hexdigest(), len(ours)) if isinstance(known, str) else known
    await announced(world, own(right, world, sender=sender))
    assert [(type(each), each.auto) for each in world.mails] == [(MessageReceived, Auto.LOOP)]


async def test_a_report_joins_the_message_it_speaks_of(world: World) -> None:
    await announced(world, mail("failed", "X-Auto: bounce", f"X-Returned: {TOKEN}"))
    (told,) = world.mails
    assert isinstance(told, BounceReceived)
    assert (told.bounced_message_id, told.conversation_id) == (MESSAGE, CONVERSATION)
    assert told.recipients[0].status == "5.1.1"


async def test_a_report_that_returns_nothing_joins_the_message_it_answers(world: World) -> None:
    world.own_mails.mails.clear()
    await announced(world, mail("failed", "X-Auto: bounce", "X-Returned: <changed@provider>", f"In-Reply-To: {TOKEN}"))
    (told,) = world.mails
    assert isinstance(told, BounceReceived)
    assert (told.bounced_message_id, told.conversation_id) == (MESSAGE, CONVERSATION)


async def test_an_absence_note_is_an_event_of_its_own(world: World) -> None:
    await announced(world, mail("away", "X-Auto: auto-reply", f"In-Reply-To: {TOKEN}"))
    assert [type(each) for each in world.mails] == [AutoReplyReceived]


async def test_what_cannot_be_read_is_set_aside_with_its_bytes_and_holds_nobody_up(world: World) -> None:
    world.server.add(mail("a"))
    world.server.add(mail("b", body="unparsable"))
    world.server.add(mail("c", body="bug"))
    world.server.add(mail("d"))
    process = Process(world).start()
    await process.until(lambda: world.cursors.cursors[KEY].last_uid == 4)
    await process.kill()
    aside = [each for each in world.mails if isinstance(each, MessageQuarantined)]
    assert [(each.reason, each.place.uid) for each in aside] == [("cpu", 2), ("failed", 3)]
    assert all(each.raw is not None and f"{TENANT}/{each.raw.blob_id}" in world.raw.kept for each in aside)
    assert set(world.subjects()) == {"a", "d"}
    assert len(world.identities()) == 4


async def test_long_bodies_travel_by_reference(world: World) -> None:
    await announced(world, mail("long", body="x" * 70_000), mail("short", body="x" * 60_000))
    long, short = world.mails
    assert (long.text, long.text_ref.size) == (None, 70_002)
    assert (len(short.text), short.text_ref) == (60_002, None)


async def test_kafka_that_does_not_answer_is_asked_again_for_the_same(world: World) -> None:
    world.publisher.failures, world.publisher.applied = 3, True
    await announced(world, mail("a"), mail("b"))
    assert {each.message_id for each in world.mails} == {each.message_id for each in world.mails[-2:]}
    assert len(world.identities()) == 2
