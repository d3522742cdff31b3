"""The IMAP session against a real Dovecot: TLS both ways, slices, pushes, the Sent copy, restarts, renumbering."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.ingest.adapters.imap import ImapMailboxes
from services.ingest.adapters.imap_session import ImapSession
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.streamed import streamed
from services.ingest.domain.imap_status import Sign, Stage
from services.ingest.domain.session import LostConnection, NotOpen, Quiet, Woken
from tests.infra.dovecot import PASSWORD, Dovecot, installed
from tests.infra.imap_account import account, mailboxes

USER = "client@mail.test"
TIMING = Timing(open_s=20.0, command_s=20.0)
MISSING = "no Dovecot here (dovecot-imapd, dovecot-lmtpd, root)"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Dovecot]:
    if not installed():
        assert not os.environ.get("MALOTE_REQUIRE_DOVECOT"), MISSING
        pytest.skip(MISSING)
    async with Dovecot() as dovecot:
        yield dovecot


@pytest.fixture
async def user(server: Dovecot, request: pytest.FixtureRequest) -> str:
    name = f"u{abs(hash(request.node.name))}@mail.test"
    await server.add_users([name])
    return name


def boxes_of(server: Dovecot) -> ImapMailboxes:
    return mailboxes({server.imap, server.imaps}, server.ca_file, TIMING)


async def session_of(server: Dovecot, user: str, security: str = "tls") -> ImapSession:
    port = server.imaps if security == "tls" else server.imap
    opened = await boxes_of(server).open(account(port, user, PASSWORD, security=security))
    assert isinstance(opened, ImapSession), opened
    return opened


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_mail_is_heard_and_fetched(server: Dovecot, user: str, security: str) -> None:
    session = await session_of(server, user, security)
    assert session.opened.uidvalidity is not None
    assert session.opened.uidnext == 1
    await session.listen()
    octets = b"Subject: hello\r\nMessage-ID: <1@test>\r\n\r\n* 5 FETCH {3}\r\n.\r\nA1 OK\r\n"
    assert await server.deliver(user, octets)
    assert await session.wait(10) == Woken()
    (mail,) = await session.fetch_above(0, 200)
    assert mail.uid == 1
    assert mail.head is not None
    assert mail.head.endswith(octets)
    assert mail.size == len(mail.head)
    assert mail.internaldate is not None
    assert abs((mail.internaldate - datetime.now(UTC)).total_seconds()) < 60
    assert await session.fetch_above(1, 200) == []
    await session.close()


async def test_a_glance_hears_of_mail_without_listening(server: Dovecot, user: str) -> None:
    session = await session_of(server, user)
    assert await session.glance(0.01) == Quiet()
    assert await server.deliver(user, b"Subject: one\r\n\r\n")
    assert await session.glance(0.01) == Woken()
    assert await session.glance(10) == Woken(), "until it is fetched it is told again, at once"
    assert [mail.uid for mail in await session.fetch_above(0, 200)] == [1]
    assert await session.glance(0.01) == Quiet()
    await session.listen()
    assert await session.glance(0.01) == Quiet(), "ends what listens"
    resting = asyncio.create_task(session.glance(30))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(server.kick, user)
    with pytest.raises(LostConnection):
        await asyncio.wait_for(resting, 5)
    await session.close()


async def test_three_hundred_mails_in_slices_and_a_gap(server: Dovecot, user: str) -> None:
    for number in range(300):
        assert await server.deliver(user, b"Subject: %d\r\n\r\n" % number)
    session = await session_of(server, user)
    first = await session.fetch_above(0, 200)
    second = await session.fetch_above(200, 200)
    assert [mail.uid for mail in [*first, *second]] == list(range(1, 301))
    assert await session.fetch_above(300, 200) == []
    assert [mail.uid for mail in await session.list_above(100, 3)] == [101, 102, 103]
    await session.close()


async def test_a_large_mail_to_the_last_octet(server: Dovecot, user: str) -> None:
    octets = b"Subject: large\r\n\r\n" + b"".join(b"%070d\r\n" % line for line in range(40_000))
    assert await server.deliver(user, octets)
    session = await session_of(server, user)
    (mail,) = await session.fetch_above(0, 200)
    assert mail.head is not None
    got = mail.head
    while rest := await session.fetch_rest(1, len(got), 262_144):
        got += rest
    assert len(got) == mail.size
    assert got.endswith(octets)
    await session.close()


async def test_the_sent_copy(server: Dovecot, user: str) -> None:
    session = await session_of(server, user)
    octets = b"Message-ID: <sent.1@test>\r\n\r\n" + b"y" * 400_000 + b"\r\n"
    assert await session.find_in_sent("<sent.1@test>") is False
    assert await session.append_to_sent(streamed(octets), datetime.now(UTC)) is True
    assert await session.find_in_sent("<sent.1@test>") is True
    await server.deliver(user, b"Subject: back in the inbox\r\n\r\n")
    assert [mail.uid for mail in await session.fetch_above(0, 200)] == [1]
    await session.close()


async def test_a_wrong_password(server: Dovecot, user: str) -> None:
    refused = await boxes_of(server).open(account(server.imaps, user, "wrong", security="tls"))
    assert isinstance(refused, NotOpen)
    assert (refused.trouble.stage, refused.trouble.sign, refused.trouble.code) == (
        Stage.LOGIN, Sign.NO, "AUTHENTICATIONFAILED",
    )  # fmt: skip


async def test_renumbering_ends_the_session_and_changes_uidvalidity(server: Dovecot, user: str) -> None:
    assert await server.deliver(user, b"Subject: one\r\n\r\n")
    session = await session_of(server, user)
    before = session.opened.uidvalidity
    await session.listen()
    server.renumber(user)
    with pytest.raises(LostConnection):
        await session.wait(10)
    await session.close()
    again = await session_of(server, user)
    assert again.opened.uidvalidity not in (None, before)
    assert len(await again.fetch_above(0, 200)) == 1
    await again.close()


async def test_a_killed_server_is_noticed_and_comes_back(server: Dovecot, user: str) -> None:
    assert await server.deliver(user, b"Subject: one\r\n\r\n")
    session = await session_of(server, user)
    await session.listen()
    waiting = asyncio.create_task(session.wait(30))
    await server.kill9()
    with pytest.raises(LostConnection):
        await asyncio.wait_for(waiting, 5)
    refused = await boxes_of(server).open(account(server.imaps, user, PASSWORD, security="tls"))
    assert isinstance(refused, NotOpen)
    assert refused.trouble.sign is Sign.REFUSED
    await server.start()
    again = await session_of(server, user)
    assert again.opened.uidvalidity == session.opened.uidvalidity
    assert len(await again.fetch_above(0, 200)) == 1
    await again.close()
