"""Servers that lie, hang, flood and vanish: each is seen for what it is, under its deadline, in bounded memory."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.ingest.adapters.imap_session import ImapSession
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.streamed import streamed
from services.ingest.domain.imap_status import Sign, Stage, judge
from services.ingest.domain.session import LostConnection, NotOpen, Quiet, Streamed, Woken
from tests.infra.imap_account import FAST, account, mailboxes
from tests.infra.imap_peer import Peer, Quirk, quirks

LIMIT_S = 2.5


@asynccontextmanager
async def peer_with(*odd: Quirk, offers: str | None = None, mails: int = 0) -> AsyncIterator[Peer]:
    peer = await (Peer.start(odd) if offers is None else Peer.start(odd, offers=offers))
    for number in range(mails):
        peer.append(b"Subject: %d\r\n\r\nhello\r\n" % number)
    try:
        yield peer
    finally:
        await peer.stop()


async def session_of(peer: Peer, timing: Timing = FAST) -> ImapSession:
    opened = await mailboxes({peer.port}, timing=timing).open(account(peer.port))
    assert isinstance(opened, ImapSession), opened
    return opened


async def refusal_of(peer: Peer, password: str = "secret") -> NotOpen:
    async with asyncio.timeout(LIMIT_S):
        opened = await mailboxes({peer.port}).open(account(peer.port, password=password))
    assert isinstance(opened, NotOpen), opened
    return opened


async def loss_of(work: asyncio.Future[object] | asyncio.Task[object]) -> LostConnection:
    with pytest.raises(LostConnection) as lost:
        async with asyncio.timeout(LIMIT_S):
            await work
    return lost.value


async def listens(session: ImapSession, seconds: float = 5.0) -> object:
    await session.listen()
    return await session.wait(seconds)


def task(work: object) -> asyncio.Task[object]:
    return asyncio.create_task(work)  # type: ignore[arg-type]


async def test_a_quiet_day() -> None:
    async with peer_with(mails=3) as peer:
        session = await session_of(peer)
        assert (session.opened.uidnext, session.opened.exists, session.opened.near) == (4, 3, True)
        assert await session.fetch_above(3, 200) == []
        await session.listen()
        assert await session.wait(0.05) == Quiet()
        await session.listen()
        waiting = task(session.wait(5))
        await asyncio.sleep(0.02)
        peer.append(b"Subject: new\r\n\r\n* 3 EXISTS\r\na1 OK\r\n")
        assert await waiting == Woken()
        (mail,) = await session.fetch_above(3, 200)
        assert (mail.uid, mail.head, mail.whole) == (4, b"Subject: new\r\n\r\n* 3 EXISTS\r\na1 OK\r\n", True)
        assert mail.internaldate == datetime(2026, 11, 24, 17, 2, 54, tzinfo=UTC)
        assert await listens(session, 0.05) == Quiet()
        await session.close()
        await session.close()
        assert (peer.seen["LOGOUT"], peer.seen["ID"]) == (1, 1)


@pytest.mark.parametrize(
    ("odd", "sign"),
    [
        (quirks.bye_in_idle("Server shutting down"), Sign.BYE),
        (quirks.bye_in_idle("", close=True), Sign.LOST),
        (quirks.closes("IDLE"), Sign.LOST),
        (quirks.closes("IDLE", "* BYE going"), Sign.BYE),
        (quirks.silent("IDLE"), Sign.TIMEOUT),
        (quirks.silent("DONE"), Sign.TIMEOUT),
        (quirks.answers("DONE", "nonsense OK done"), Sign.GARBLED),
    ],
)
async def test_what_goes_wrong_while_listening(odd: Quirk, sign: Sign) -> None:
    async with peer_with(odd) as peer:
        session = await session_of(peer)
        lost = await loss_of(task(listens(session, 0.3)))
        assert (lost.trouble.stage, lost.trouble.sign) == (Stage.WATCH, sign)
        with pytest.raises(LostConnection):
            await session.fetch_above(0, 1)
        await session.close()
        assert await session_of_again(peer) is not None


async def session_of_again(peer: Peer) -> ImapSession:
    """The mailbox recovers once the server behaves."""
    peer.quirks.clear()
    session = await session_of(peer)
    assert await listens(session, 0.02) == Quiet()
    await session.close()
    return session


@pytest.mark.parametrize(
    ("odd", "sign"),
    [
        (quirks.literal(100_000, b"Subject: half", hang=True), Sign.TIMEOUT),
        (quirks.literal(50, b"Subject: shorter than it says\r\n"), Sign.TIMEOUT),
        (quirks.literal(4, b"Subject: longer than it says\r\n\r\nbody\r\n"), Sign.GARBLED),
        (quirks.literal(300_000, b"x"), Sign.GARBLED),
        (quirks.literal(9_999_999_999, b"x"), Sign.GARBLED),
        (quirks.silent("UID FETCH"), Sign.TIMEOUT),
        (quirks.closes("UID FETCH"), Sign.LOST),
        (quirks.answers("UID FETCH", "{tag} BAD no"), Sign.BAD),
        (quirks.refuses("UID FETCH", "[UNAVAILABLE] later"), Sign.NO),
        (quirks.answers("UID FETCH", "* 1 FETCH (UID 1 (", "{tag} OK"), Sign.GARBLED),
        (quirks.answers("UID FETCH", "+ surprise", "{tag} OK"), Sign.GARBLED),
    ],
)
async def test_what_goes_wrong_while_fetching(odd: Quirk, sign: Sign) -> None:
    async with peer_with(odd, mails=1) as peer:
        session = await session_of(peer)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        lost = await loss_of(task(session.fetch_above(0, 200)))
        assert (lost.trouble.stage, lost.trouble.sign) == (Stage.WATCH, sign)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120 * 1024
        assert await session_of_again(peer)


@pytest.mark.parametrize("line", ["* 1 EXISTS", "* 1 FETCH (UID 1 RFC822.SIZE 3)", "* OK [ALERT] look", "* SEARCH 1"])
@pytest.mark.parametrize("command", ["DONE", "UID FETCH"])
async def test_a_million_lines_are_too_many(command: str, line: str) -> None:
    async with peer_with(quirks.floods(command, 1_000_000, line), mails=1) as peer:
        session = await session_of(peer, timing=replace(FAST, command_s=30.0))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(LostConnection) as lost:
            await (listens(session, 0.1) if command == "DONE" else session.fetch_above(0, 200))
        assert lost.value.trouble.sign is Sign.GARBLED
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024
        assert await session_of_again(peer)


@pytest.mark.parametrize(
    ("odd", "stage", "sign", "state", "reason"),
    [
        (quirks.refuses("AUTHENTICATE", "[AUTHENTICATIONFAILED] x"), Stage.LOGIN, Sign.NO, "auth_failed",
         "authentication_failed"),
        (quirks.refuses("AUTHENTICATE", "[UNAVAILABLE] x"), Stage.LOGIN, Sign.NO, "unreachable", "server_unavailable"),
        (quirks.refuses("AUTHENTICATE", "[LIMIT] x"), Stage.LOGIN, Sign.NO, "throttled", "rate_limited"),
        (quirks.refuses("AUTHENTICATE", "LOGIN failed"), Stage.LOGIN, Sign.NO, "unreachable", "server_unavailable"),
        (quirks.closes("AUTHENTICATE", "* BYE Too many connections"), Stage.LOGIN, Sign.BYE, "throttled",
         "rate_limited"),
        (quirks.silent("AUTHENTICATE"), Stage.LOGIN, Sign.TIMEOUT, "unreachable", "timeout"),
        (quirks.silent("GREETING"), Stage.GREETING, Sign.TIMEOUT, "unreachable", "timeout"),
        (quirks.closes("GREETING"), Stage.GREETING, Sign.LOST, "unreachable", "connection_lost"),
        (quirks.closes("GREETING", "* BYE [UNAVAILABLE] x"), Stage.GREETING, Sign.BYE, "unreachable",
         "server_unavailable"),
        (quirks.answers("GREETING", "220 mail ESMTP"), Stage.GREETING, Sign.GARBLED, "unreachable", "protocol_error"),
        (quirks.answers("GREETING", "* PREAUTH hello"), Stage.GREETING, Sign.GARBLED, "unreachable", "protocol_error"),
        (quirks.floods("GREETING", 1_000_000, "* 1 EXISTS"), Stage.GREETING, Sign.GARBLED, "unreachable",
         "protocol_error"),
        (quirks.refuses("SELECT", "no"), Stage.SELECT, Sign.NO, "unreachable", "server_unavailable"),
        (quirks.answers("SELECT", "{tag} BAD x"), Stage.SELECT, Sign.BAD, "unreachable", "protocol_error"),
        (quirks.silent("SELECT"), Stage.SELECT, Sign.TIMEOUT, "unreachable", "timeout"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_while_opening(odd: Quirk, stage: Stage, sign: Sign, state: str, reason: str) -> None:
    async with peer_with(odd) as peer:
        trouble = (await refusal_of(peer)).trouble
        assert (trouble.stage, trouble.sign) == (stage, sign)
        verdict = judge(trouble)
        assert (verdict.state, verdict.reason) == (state, reason)
        assert await session_of_again(peer)


async def test_a_wrong_password_is_tried_once() -> None:
    async with peer_with() as peer:
        refused = await refusal_of(peer, "wrong")
        assert refused.trouble.code == "AUTHENTICATIONFAILED"
        assert peer.seen["AUTHENTICATE"] + peer.seen["LOGIN"] == 1
        assert "wrong" not in refused.detail


async def test_an_idle_answered_bad_becomes_polling() -> None:
    async with peer_with(quirks.answers("IDLE", "{tag} BAD what?")) as peer:
        session = await session_of(peer)
        await session.listen()
        waiting = task(session.wait(5))
        await asyncio.sleep(0.05)
        peer.append(b"Subject: x\r\n\r\n")
        assert await waiting == Woken()
        assert peer.seen["IDLE"] == 1
        assert peer.seen["NOOP"] >= 1
        await session.close()


async def test_a_server_without_idle_is_polled() -> None:
    async with peer_with(offers="IMAP4rev1 AUTH=PLAIN") as peer:
        session = await session_of(peer)
        assert not session.opened.idle
        await session.listen()
        await session.fetch_above(0, 200)
        waiting = task(session.wait(5))
        await asyncio.sleep(0.05)
        peer.append(b"Subject: x\r\n\r\n", push=False)
        assert await waiting == Woken()
        assert (peer.seen["IDLE"], peer.seen["ID"]) == (0, 0), "neither is offered"
        await session.close()


async def test_a_poll_notices_a_lost_connection_at_once() -> None:
    async with peer_with(offers="IMAP4rev1 AUTH=PLAIN") as peer:
        session = await session_of(peer)
        waiting = task(listens(session, 60))
        await asyncio.sleep(0.05)
        for each in list(peer.sessions):
            each.cut()
        assert (await loss_of(waiting)).trouble.sign is Sign.LOST


async def test_mail_that_comes_during_a_fetch_is_heard_of() -> None:
    async with peer_with(quirks.mail_during_fetch(b"Subject: late\r\n\r\n"), mails=2) as peer:
        session = await session_of(peer)
        assert [mail.uid for mail in await session.fetch_above(0, 200)] == [1, 2]
        begun = time.monotonic()
        assert await listens(session, 5) == Woken()
        assert time.monotonic() - begun < 0.5
        assert [mail.uid for mail in await session.fetch_above(2, 200)] == [3]
        assert await listens(session, 0.05) == Quiet()


async def test_wide_gaps_are_searched_and_older_mail_is_not_announced_again() -> None:
    async with peer_with(mails=1) as peer:
        peer.append(b"Subject: far\r\n\r\n", gap=100_000)
        session = await session_of(peer)
        assert [mail.uid for mail in await session.fetch_above(1, 200)] == [100_002]
        assert await session.fetch_above(100_002, 200) == []
        peer.append(b"Subject: farther\r\n\r\n", gap=500)
        assert await listens(session, 1) == Woken()
        assert [mail.uid for mail in await session.fetch_above(100_002, 200)] == [100_503]
        assert [mail.uid for mail in await session.list_above(0, 2)] == [1, 100_002]
        assert [mail.uid for mail in await session.list_above(1, 500)] == [100_002, 100_503]


async def test_nothing_new_costs_no_search() -> None:
    async with peer_with(mails=1) as peer:
        session = await session_of(peer)
        for _ in range(5):
            assert await session.fetch_above(1, 200) == []
        assert peer.seen["UID SEARCH"] == 0


async def test_large_mails_come_in_parts() -> None:
    octets = b"Subject: big\r\n\r\n" + bytes(range(32, 127)) * 10_000
    async with peer_with() as peer:
        peer.append(octets)
        session = await session_of(peer)
        (mail,) = await session.fetch_above(0, 200)
        assert mail.head is not None
        assert (len(mail.head), mail.size, mail.whole) == (262_144, len(octets), False)
        got = mail.head
        while rest := await session.fetch_rest(mail.uid, len(got), 262_144):
            got += rest
        assert got == octets
        assert rest == b""
        assert await session.fetch_rest(99, 0, 100) is None


async def test_mails_that_are_shown_and_not_given() -> None:
    async with peer_with(mails=1) as peer:
        peer.inbox.add(b"x" * 10, listed_only=True)
        peer.inbox.add(b"y" * 11, refused=True)
        peer.append(b"Subject: after\r\n\r\n")
        session = await session_of(peer)
        found = await session.fetch_above(0, 200)
        assert [(mail.uid, mail.size, mail.head) for mail in found] == [
            (1, 21, b"Subject: 0\r\n\r\nhello\r\n"), (2, 10, None), (3, 11, None), (4, 18, b"Subject: after\r\n\r\n"),
        ]  # fmt: skip
        assert [mail.uid for mail in await session.fetch([4, 1, 77])] == [1, 4]


@pytest.mark.parametrize("told", [None, 0])
async def test_a_missing_uidvalidity_is_said(told: int | None) -> None:
    async with peer_with(mails=2) as peer:
        peer.inbox.uidvalidity, peer.inbox.tells_next = told, False
        session = await session_of(peer)
        assert (session.opened.uidvalidity, session.opened.uidnext) == (None, 3)


async def test_the_sent_copy() -> None:
    async with peer_with() as peer:
        session = await session_of(peer)
        octets = b"Message-ID: <a@b>\r\n\r\n" + b"x" * 300_000
        assert await session.find_in_sent("<a@b>") is False
        assert await session.append_to_sent(streamed(octets), datetime.now(UTC)) is True
        assert await session.find_in_sent("<a@b>") is True
        assert [mail.octets for mail in peer.sent.mails] == [octets]
        assert await session.fetch_above(0, 200) == []
        peer.quirks.append(quirks.refuses("APPEND", "[OVERQUOTA] no"))
        assert await session.append_to_sent(streamed(octets), datetime.now(UTC)) is False
        peer.quirks[:] = [quirks.answers("LIST", "{tag} OK none")]
        other = await session_of(peer)
        assert await other.find_in_sent("<a@b>") is None
        assert await other.append_to_sent(streamed(octets), datetime.now(UTC)) is False


async def test_a_copy_whose_octets_fail_half_way_ends_the_connection() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"Message-ID: <a@b>\r\n"
        raise LookupError("gone")

    async with peer_with() as peer:
        session = await session_of(peer)
        with pytest.raises(LookupError, match="gone"):
            await session.append_to_sent(Streamed(1_000, failing()), datetime.now(UTC))
        with pytest.raises(LostConnection):
            await session.find_in_sent("<a@b>")
        assert peer.sent.mails == []


@pytest.mark.parametrize("offers", ["IMAP4rev1 IDLE", "IMAP4rev1 IDLE AUTH=PLAIN", "IMAP4rev1 AUTH=PLAIN SASL-IR"])
@pytest.mark.parametrize(
    ("user", "password"), [("user", "secret"), ('o"dd \\ user', 'p"a\\ss wörd'), ("üser@bücher.example", "{5}")]
)
async def test_odd_names_and_passwords(offers: str, user: str, password: str) -> None:
    async with peer_with(offers=offers) as peer:
        peer.users = {user: password}
        opened = await mailboxes({peer.port}).open(account(peer.port, user, password))
        assert isinstance(opened, ImapSession)
        await opened.close()


async def test_a_line_feed_in_a_password_is_no_second_command() -> None:
    async with peer_with(offers="IMAP4rev1 IDLE") as peer:
        refused = await mailboxes({peer.port}).open(account(peer.port, "user", "x\r\na9 DELETE INBOX"))
        assert isinstance(refused, NotOpen)
        assert peer.seen["DELETE"] == 0


@pytest.mark.parametrize("offers", ["IMAP4rev1 IDLE AUTH=XOAUTH2", "IMAP4rev1 IDLE SASL-IR AUTH=XOAUTH2"])
async def test_xoauth2(offers: str) -> None:
    async with peer_with(offers=offers) as peer:
        boxes = mailboxes({peer.port})
        opened = await boxes.open(account(peer.port, auth="oauth2"))
        assert isinstance(opened, ImapSession)
        refused = await boxes.open(account(peer.port, password="stale", auth="oauth2"))
        assert isinstance(refused, NotOpen)
        assert refused.trouble.code == "AUTHENTICATIONFAILED"


async def test_cancelling_drops_the_connection() -> None:
    async with peer_with(quirks.silent("UID FETCH")) as peer:
        session = await session_of(peer)
        fetching = task(session.fetch_above(0, 1))
        await asyncio.sleep(0.05)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        with pytest.raises(LostConnection):
            await session.listen()


async def test_closing_a_hung_connection_takes_no_time() -> None:
    async with peer_with(quirks.silent("LOGOUT")) as peer:
        session = await session_of(peer)
        begun = time.monotonic()
        await session.close()
        assert time.monotonic() - begun < 2.5
        listening = await session_of(peer)
        await listening.listen()
        await listening.close()
