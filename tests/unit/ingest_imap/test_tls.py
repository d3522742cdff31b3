"""TLS over memory BIOs: certificates are verified, nothing before the handshake counts, sessions are taken up again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ingest.adapters.imap import ImapMailboxes
from services.ingest.adapters.imap_session import ImapSession
from services.ingest.adapters.imap_tls import TlsSessions, tls_context
from services.ingest.adapters.streamed import streamed
from services.ingest.domain.imap_status import Sign, Stage
from services.ingest.domain.session import LostConnection, NotOpen
from tests.infra.imap_account import account, mailboxes
from tests.infra.imap_peer import Peer, Quirk, Session, Tls, quirks
from tests.infra.smtp_peer.certificates import Certificates, issue, server_context

SECURITY = {Tls.IMPLICIT: "tls", Tls.STARTTLS: "starttls"}
BOTH = pytest.mark.parametrize("tls", SECURITY)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    started: list[Peer] = []
    yield started
    for peer in started:
        await peer.stop()


async def opened_by(boxes: ImapMailboxes, peer: Peer, tls: Tls) -> ImapSession | NotOpen:
    async with asyncio.timeout(3):
        return await boxes.open(account(peer.port, security=SECURITY[tls]))


@BOTH
async def test_large_mails_over_tls(peers: list[Peer], certificates: Certificates, tls: Tls) -> None:
    peer = await Peer.start(tls=tls, context=server_context(certificates.good))
    peers.append(peer)
    octets = bytes(range(256)) * 4000
    peer.append(octets)
    session = await opened_by(mailboxes({peer.port}, certificates.bundle), peer, tls)
    assert isinstance(session, ImapSession)
    (mail,) = await session.fetch_above(0, 200)
    assert mail.head == octets[: 256 * 1024]
    assert await session.fetch_rest(1, 256 * 1024, 1_000_000) == octets[256 * 1024 :]
    assert await session.append_to_sent(streamed(octets * 4), datetime.now(UTC)) is True
    assert peer.sent.mails[0].octets == octets * 4
    await session.listen()
    peer.append(b"x")
    assert str(await session.wait(5)) == "Woken()"
    await session.close()


@BOTH
@pytest.mark.parametrize("which", ["expired", "wrong_name", "unknown"])
async def test_bad_certificates(peers: list[Peer], certificates: Certificates, tls: Tls, which: str) -> None:
    pem = certificates.good if which == "unknown" else getattr(certificates, which)
    peer = await Peer.start(tls=tls, context=server_context(pem))
    peers.append(peer)
    trusted = None if which == "unknown" else certificates.bundle
    refused = await opened_by(mailboxes({peer.port}, trusted), peer, tls)
    assert isinstance(refused, NotOpen)
    assert (refused.trouble.stage, refused.trouble.sign) == (Stage.TLS, Sign.CERTIFICATE)
    assert peer.seen["LOGIN"] + peer.seen["AUTHENTICATE"] == 0


async def test_plain_text_on_a_tls_port(peers: list[Peer], certificates: Certificates) -> None:
    peer = await Peer.start()
    peers.append(peer)
    refused = await opened_by(mailboxes({peer.port}, certificates.bundle), peer, Tls.IMPLICIT)
    assert isinstance(refused, NotOpen)
    assert (refused.trouble.stage, refused.trouble.sign) == (Stage.TLS, Sign.TLS_BROKEN)


@pytest.mark.parametrize(
    ("odd", "sign"),
    [
        (quirks.answers("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN", "{tag} OK done"), Sign.NO_STARTTLS),
        (quirks.refuses("STARTTLS", "not today"), Sign.NO_STARTTLS),
        (quirks.answers("GREETING", "* PREAUTH welcome"), Sign.NO_STARTTLS),
        (quirks.silent("STARTTLS"), Sign.TIMEOUT),
        (quirks.closes("STARTTLS"), Sign.LOST),
    ],
)
async def test_starttls_is_never_gone_without(
    peers: list[Peer], certificates: Certificates, odd: Quirk, sign: Sign
) -> None:
    peer = await Peer.start([odd], tls=Tls.STARTTLS, context=server_context(certificates.good))
    peers.append(peer)
    refused = await opened_by(mailboxes({peer.port}, certificates.bundle), peer, Tls.STARTTLS)
    assert isinstance(refused, NotOpen)
    assert refused.trouble.sign is sign
    assert peer.seen["LOGIN"] + peer.seen["AUTHENTICATE"] == 0


async def injects(session: Session, tag: str, command: str, rest: str) -> bool:
    """An attacker in the middle appends to the answer in clear text (the STARTTLS injections of 2011 and 2021)."""
    if command != "STARTTLS":
        return False
    await session.say(f"{tag} OK begin\r\n* OK [CAPABILITY IMAP4rev1 EVIL AUTH=PLAIN] hello\r\n* 77 EXISTS\r\n* 5")
    assert session.peer.context is not None
    await session.writer.start_tls(session.peer.context)
    return True


async def test_what_came_before_the_handshake_is_dropped(peers: list[Peer], certificates: Certificates) -> None:
    peer = await Peer.start([injects], tls=Tls.STARTTLS, context=server_context(certificates.good))
    peers.append(peer)
    session = await opened_by(mailboxes({peer.port}, certificates.bundle), peer, Tls.STARTTLS)
    assert isinstance(session, ImapSession)
    assert session.opened.exists == 0
    assert peer.seen["CAPABILITY"] == 2


async def test_a_handshake_that_hangs(peers: list[Peer], certificates: Certificates) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    refused = await mailboxes({port}, certificates.bundle).open(account(port, security="tls"))
    assert isinstance(refused, NotOpen)
    assert (refused.trouble.stage, refused.trouble.sign) == (Stage.TLS, Sign.TIMEOUT)
    server.close()


@BOTH
async def test_a_session_is_taken_up_again(peers: list[Peer], certificates: Certificates, tls: Tls) -> None:
    peer = await Peer.start(tls=tls, context=server_context(certificates.good))
    peers.append(peer)
    boxes, taken = mailboxes({peer.port}, certificates.bundle), []
    for _ in range(3):
        session = await opened_by(boxes, peer, tls)
        assert isinstance(session, ImapSession)
        taken.append(session._conversation.wire.session[1])
        await session.close()
    assert taken == [False, True, True]


async def test_another_certificate_authority_is_not_excused_by_a_session(
    peers: list[Peer], certificates: Certificates, tmp_path: Path
) -> None:
    peer = await Peer.start(tls=Tls.IMPLICIT, context=server_context(certificates.good))
    peers.append(peer)
    boxes = mailboxes({peer.port}, certificates.bundle)
    session = await opened_by(boxes, peer, Tls.IMPLICIT)
    assert isinstance(session, ImapSession)
    await session.close()
    await peer.stop()
    stranger = issue(tmp_path)
    other = await Peer.start(tls=Tls.IMPLICIT, context=server_context(stranger.good), port=peer.port)
    peers.append(other)
    refused = await opened_by(boxes, other, Tls.IMPLICIT)
    assert isinstance(refused, NotOpen)
    assert refused.trouble.sign is Sign.CERTIFICATE


async def test_a_close_notify_ends_the_session(peers: list[Peer], certificates: Certificates) -> None:
    peer = await Peer.start(tls=Tls.IMPLICIT, context=server_context(certificates.good))
    peers.append(peer)
    session = await opened_by(mailboxes({peer.port}, certificates.bundle), peer, Tls.IMPLICIT)
    assert isinstance(session, ImapSession)
    await session.listen()
    waiting = asyncio.create_task(session.wait(30))
    await asyncio.sleep(0.05)
    for each in list(peer.sessions):
        each.writer.close()
    with pytest.raises(LostConnection) as lost:
        await asyncio.wait_for(waiting, 2)
    assert lost.value.trouble.sign is Sign.LOST


async def test_refusals_of_the_guard_and_the_seal(certificates: Certificates) -> None:
    peer = await Peer.start()
    signs = [
        (await mailboxes({peer.port}, allow=False).open(account(peer.port))),
        (await mailboxes({993}).open(account(peer.port))),
        (await mailboxes({peer.port}).open(account(peer.port, host="no-such-host.invalid"))),
        (await mailboxes({peer.port}).open(account(peer.port, sealed_for="somebody"))),
        (await mailboxes({peer.port}, plain=False).open(account(peer.port))),
    ]
    await peer.stop()
    signs.append(await mailboxes({peer.port}).open(account(peer.port)))
    seen = [one.trouble.sign for one in signs if isinstance(one, NotOpen)]
    assert seen == [Sign.DENIED, Sign.DENIED, Sign.UNRESOLVABLE, Sign.SECRET, Sign.TLS_BROKEN, Sign.REFUSED]
    assert sum(peer.seen.values()) == 0


def test_the_context_verifies() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_sessions_of_other_names_are_others() -> None:
    sessions = TlsSessions()
    assert sessions.of(("127.0.0.1", 993, "a.test")) is None
    sessions.keep(("127.0.0.1", 993, "a.test"), None, resumed=False)
    assert sessions.of(("127.0.0.1", 993, "a.test")) is None
