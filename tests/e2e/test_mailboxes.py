"""Mail both ways over a real Dovecot: hostile and very large mails, Sent copies, our own mail seen again."""

from __future__ import annotations

import asyncio
import hashlib
import imaplib
import os
import random
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import groupby

import pytest

from tests.e2e.mail import arrived, mails
from tests.e2e.mailroom import Mailroom
from tests.e2e.odd_mailboxes import ODD, Odd
from tests.infra.dovecot import PASSWORD, installed
from tests.infra.inbound_ear import Heard
from tests.infra.smtp_peer import Action, Rule, Stage
from tests.infra.smtp_peer.certificates import Certificates
from tests.unit.ingest_parse.shapes import SHAPES

MISSING = "no Dovecot here (dovecot-imapd, dovecot-lmtpd, root)"
WITHIN_S = 5.0
OK = ("connected", "none")
GROWTH_MB = 12.0
ALWAYS, AUTO, NEVER = "always@desk.test", "auto@desk.test", "never@desk.test"
HOSTILE, QUIET = "hostile@desk.test", "quiet@desk.test"


@pytest.fixture(scope="module")
async def room(certificates: Certificates) -> AsyncIterator[Mailroom]:
    """The whole of it."""
    if not installed():
        assert not os.environ.get("MALOTE_REQUIRE_DOVECOT"), MISSING
        pytest.skip(MISSING)
    odd = {each.name: await each.start(certificates) for each in ODD}
    async with Mailroom(*(peer.port for peer in odd.values())) as made:
        made.odd = odd
        yield made
    for peer in odd.values():
        await peer.stop()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Sent before the other tests began: channels and messages by account; two parked ones, of which one was filed."""

    channels: dict[str, str]
    sent: dict[str, str]
    filed: str
    lost: str


@pytest.fixture(scope="module")
async def outgoing(room: Mailroom) -> Outgoing:
    """One message from each account; then two whose answer is lost, and the provider files the first of them."""
    made = [await room.connected(user, sent_copy=user.partition("@")[0]) for user in (ALWAYS, AUTO, NEVER)]
    channels = {user: channel for user, (channel,) in zip((ALWAYS, AUTO, NEVER), made, strict=True)}
    sent = {user: await _send(room, channel, f"to-{user}") for user, channel in channels.items()}
    for message in sent.values():
        await room.desk.reached(message, "sent")
    room.peer.script(Rule(Stage.FINAL, Action.DROP, recipient="doubt"))
    filed, lost = [await _send(room, channels[NEVER], f"doubt{n}@client.test") for n in (1, 2)]
    for message in (filed, lost):
        seen = await room.desk.reached(message, "failed")
        assert (seen["reason"], seen["parked"]) == ("outcome_unknown", True)
    await asyncio.to_thread(_file, room, NEVER, mails(room.peer, "doubt1@client.test")[0].raw)
    return Outgoing(channels, sent, filed, lost)


async def _send(room: Mailroom, channel: str, client: str) -> str:
    return await room.desk.send(await room.desk.conversation(channel, client), subject="Your order")


def _file(room: Mailroom, user: str, octets: bytes) -> None:
    """What a provider does with mail it took."""
    trust = ssl.create_default_context(cafile=str(room.dovecot.ca_file))
    with imaplib.IMAP4_SSL("127.0.0.1", room.dovecot.imaps, ssl_context=trust, timeout=10) as server:
        server.login(user, PASSWORD)
        server.append("Sent", r"(\Seen)", None, octets)


async def _heard(room: Mailroom, channel: str, number: int, within_s: float = 20) -> list[Heard]:
    """The mails of this channel, once there are so many."""

    def mine() -> list[Heard]:
        return [heard for heard in room.ear.mails if heard.channel_id == channel]

    await room.ear.until(lambda: len(mine()) >= number, within_s)
    assert len(mine()) == number, f"{len(mine())} mails heard of, {number} expected"
    return mine()


async def test_hostile_mails_end_in_an_event_each_while_another_tenants_mails_flow(
    room: Mailroom, outgoing: Outgoing
) -> None:
    (channel,), (quiet,) = await room.connected(HOSTILE), await room.connected(QUIET, desk=room.other)
    pid, took, done = room.stack.pids["ingest-0"], {}, asyncio.Event()
    others = asyncio.create_task(_flow(room, quiet, done))
    for number, (name, make) in enumerate(SHAPES.items(), 1):
        took[name] = await _taken(room, channel, make(), number)
    late = [name for name in took if took[name] > WITHIN_S]  # once more: it was the machine, if it is in time then
    for number, name in enumerate(late, len(SHAPES) + 1):
        took[name] = await _taken(room, channel, b"X-Again: yes\r\n" + SHAPES[name](), number)
    done.set()
    waits = await others
    slowest = sorted(took, key=lambda name: took[name])[-3:]
    print(f"{len(took)} shapes, slowest {[(name, round(took[name], 2)) for name in slowest]}")
    print(f"another tenant: {len(waits)} mails, slowest {max(waits):.2f} s")
    assert took[slowest[-1]] <= WITHIN_S
    assert max(waits) <= WITHIN_S
    assert room.stack.pids["ingest-0"] == pid, "ingest died"
    said = await _heard(room, channel, len(SHAPES) + len(late))
    assert max(room.ear.seen[heard.data["message_id"]] for heard in said) == 1
    aside = [heard.data["reason"] for heard in said if heard.kind == "MessageQuarantined"]
    assert not aside, "all of them can be read within their limits"


async def _taken(room: Mailroom, channel: str, octets: bytes, number: int) -> float:
    """Deliver the mail that is this channel's number so; the seconds until it is heard of."""
    if not await room.dovecot.deliver(HOSTILE, octets):
        room.dovecot.lay(HOSTILE, [octets])()
    began = time.monotonic()
    await _heard(room, channel, number, 4 * WITHIN_S)
    return time.monotonic() - began


async def _flow(room: Mailroom, channel: str, done: asyncio.Event) -> list[float]:
    """A mail twice a second until it is over; how long each took to be heard of."""
    waits: list[float] = []
    while not done.is_set():
        began = time.monotonic()
        assert await room.dovecot.deliver(QUIET, b"From: c@client.test\r\nSubject: n%d\r\n\r\nhello\r\n" % len(waits))
        await _heard(room, channel, len(waits) + 1)
        waits.append(time.monotonic() - began)
        await asyncio.sleep(max(0.0, 0.5 - waits[-1]))
    return waits


@pytest.mark.parametrize("megabytes", [25, 45])
async def test_a_very_large_mail_arrives_whole_and_ingest_does_not_grow(
    room: Mailroom, outgoing: Outgoing, megabytes: int
) -> None:
    user = f"large{megabytes}@desk.test"
    (channel,) = await room.connected(user)
    content = random.Random(megabytes).randbytes(int(megabytes * 1e6 / 1.37))
    letter = EmailMessage()
    letter["From"], letter["Subject"] = "c@client.test", "A film"
    letter.set_content("See attached.")
    letter.add_attachment(content, maintype="video", subtype="mp4", filename="film.mp4")
    put = room.dovecot.lay(user, [bytes(letter).replace(b"\n", b"\r\n")])
    await asyncio.sleep(6)  # memory that earlier mails needed is given back when it is quiet
    before = most = room.resident_mb()
    put()
    while not (heard := [one for one in room.ear.mails if one.channel_id == channel]):
        await asyncio.sleep(0.02)
        most = max(most, room.resident_mb())
    print(f"{megabytes} MB: ingest {before:.1f} -> {most:.1f} MB at most")
    assert most - before <= GROWTH_MB
    (one,) = heard[0].data["attachments"]
    assert one["file_name"] == "film.mp4"
    assert (one["blob"]["size"], one["blob"]["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    await room.desk.until(f"/v1/conversations/{heard[0].data['conversation_id']}", lambda seen: bool(seen))
    for blob in (one["blob"], heard[0].data["raw"]):
        got = await room.desk.call("GET", f"/v1/blobs/{blob['blob_id']}")
        assert (got.status_code, hashlib.sha256(got.content).hexdigest()) == (200, blob["sha256"])


async def test_a_sent_message_is_filed_once_with_its_very_octets_where_that_is_wanted(
    room: Mailroom, outgoing: Outgoing
) -> None:
    limit = time.monotonic() + 25
    while not all(room.sent(user) for user in (ALWAYS, AUTO)) and time.monotonic() < limit:
        await asyncio.sleep(0.2)
    for user in (ALWAYS, AUTO):
        (submitted,) = await arrived(room.peer, f"to-{user}")
        assert [_crlf(each) for each in room.sent(user)] == [submitted.raw]
    filed = mails(room.peer, "doubt1@client.test")[0].raw
    assert [_crlf(each) for each in room.sent(NEVER)] == [filed], "nothing but what the provider filed"


def _crlf(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


async def test_a_parked_message_whose_copy_is_there_is_sent_and_the_other_stays_parked(
    room: Mailroom, outgoing: Outgoing
) -> None:
    seen = await room.desk.reached(outgoing.filed, "sent", within_s=30)
    assert (seen["reason"], seen["parked"], seen["recipients"][0]["state"]) == ("sent_copy", False, "accepted")
    other = await room.desk.message(outgoing.lost)
    assert (other["status"], other["reason"], other["parked"]) == ("failed", "outcome_unknown", True)


async def test_our_own_mail_seen_again_is_not_announced_and_a_forgery_is_a_loop(
    room: Mailroom, outgoing: Outgoing
) -> None:
    channel = outgoing.channels[ALWAYS]
    (submitted,) = await arrived(room.peer, f"to-{ALWAYS}")
    forged = submitted.raw.replace(b"It leaves today.", b"Send me money.")
    for octets in (submitted.raw, forged, b"Subject: after\r\n\r\nhello\r\n"):
        assert await room.dovecot.deliver(ALWAYS, octets)
    said = {heard.data["subject"]: heard.data for heard in await _heard(room, channel, 2)}
    assert set(said) == {"Your order", "after"}
    assert (said["Your order"]["auto"], said["Your order"]["threaded_by"]) == ("loop", "ledger")


async def test_copies_moves_and_a_message_id_twice(room: Mailroom, outgoing: Outgoing) -> None:
    user = "moves@desk.test"
    (channel,) = await room.connected(user)
    one, other = (b"Message-ID: <same@x>\r\nSubject: %s\r\n\r\nhello\r\n" % name for name in (b"one", b"other"))
    for octets in (one, other, b"Subject: no id\r\n\r\nhello\r\n"):
        assert await room.dovecot.deliver(user, octets)
    said = {heard.data["subject"]: heard.data["conversation_id"] for heard in await _heard(room, channel, 3)}
    assert set(said) == {"one", "other", "no id"}
    assert said["one"] == said["other"] != said["no id"]
    await asyncio.to_thread(_copy_and_move_back, room, user)
    assert await room.dovecot.deliver(user, b"Subject: last\r\n\r\nhello\r\n")
    every = {heard.data["subject"] for heard in await _heard(room, channel, 4)}
    assert every == {"one", "other", "no id", "last"}, "a copy, and a mail that was moved away and back, are known"


def _copy_and_move_back(room: Mailroom, user: str) -> None:
    trust = ssl.create_default_context(cafile=str(room.dovecot.ca_file))
    with imaplib.IMAP4_SSL("127.0.0.1", room.dovecot.imaps, ssl_context=trust, timeout=10) as server:
        server.login(user, PASSWORD)
        server.select("INBOX")
        server.copy("1", "INBOX")
        server.create("Aside")
        server._simple_command("MOVE", "2", "Aside")
        server.select("Aside")
        server._simple_command("MOVE", "1", "INBOX")


async def test_wrong_servers_are_told_from_each_other_and_the_mailbox_comes_back(room: Mailroom) -> None:
    told: dict[str, list[tuple[str, str]]] = {}
    room.ear.turns.append(lambda channel, state: told.setdefault(channel, []).append(room.ear.states[channel][:2]))
    failed = [text for text in await asyncio.gather(*(_odd(room, each, told) for each in ODD)) if text]
    assert not failed, "\n".join(failed)


async def _odd(room: Mailroom, odd: Odd, told: dict[str, list[tuple[str, str]]]) -> str:
    """What was not as it should be; nothing where all was."""
    peer = room.odd[odd.name]
    channel = await room.imap_channel(peer.port, "tls" if odd.expired else "none", name=odd.name)
    wanted = (odd.state, odd.reason)
    if not await room.ear.until(lambda: wanted in told.get(channel, []), 25):
        return f"{odd.name}: {wanted} is never said, but {told.get(channel)}"
    if odd.expired:
        return ""
    peer.quirks.clear()
    if odd.asked:
        await room.desk.ok("POST", f"/v1/channels/{channel}/reconnect")
    if not await room.ear.connected([channel], 25):
        return f"{odd.name}: it does not come back: {told.get(channel)}"
    peer.append(b"From: c@client.test\r\nSubject: after\r\n\r\nhello\r\n")

    def subjects() -> list[str]:
        return [heard.data.get("subject", "") for heard in room.ear.mails if heard.channel_id == channel]

    if not await room.ear.until(lambda: "after" in subjects(), 15):
        return f"{odd.name}: mail is not heard of: {subjects()} {told.get(channel)}"
    before = len(told[channel])
    await room.desk.ok("POST", f"/v1/channels/{channel}/reconnect")
    anew = [("connecting", "settings_changed"), OK]
    if not await room.ear.until(lambda: [said for said, _ in groupby(told[channel][before:])][-2:] == anew, 10):
        return f"{odd.name}: it does not connect anew when asked: {told[channel]}"
    expected = ["after"] if not odd.first else ["during", "after"]
    return "" if sorted(subjects()) == sorted(expected) else f"{odd.name}: {subjects()}"
