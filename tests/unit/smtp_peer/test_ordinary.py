"""The peer as a good server: every message arrives, is kept to the byte and written down in order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiosmtplib
import pytest

from tests.infra.smtp_peer import Peer, Settings, Tls
from tests.infra.smtp_peer.certificates import Certificates, issue, server_context
from tests.infra.smtp_peer.content import unstuffed

MAIL = b"Subject: hello\r\nMessage-ID: <one@a.test>\r\n\r\n.dot\r\n..two\r\nend\r\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


async def client(peer: Peer, **options: object) -> aiosmtplib.SMTP:
    made = aiosmtplib.SMTP(hostname="127.0.0.1", port=peer.port, timeout=5, **{"start_tls": False, **options})  # type: ignore[arg-type]
    await made.connect()
    return made


async def test_keeps_every_byte_and_the_order_of_events(tmp_path: Path) -> None:
    peer = await Peer.start(record=tmp_path / "history")
    smtp = await client(peer)
    await smtp.sendmail("a@a.test", ["b@b.test", "c@b.test"], MAIL)
    await smtp.quit()
    await asyncio.sleep(0.01)
    events = [entry.event for entry in peer.history.entries]
    assert events == ["connected", "mail", "rcpt", "rcpt", "data", "content", "answered", "quit"]
    content, answered = peer.history.entries[5:7]
    assert unstuffed(peer.history.content(content.n)) == MAIL
    assert answered.fields["message_id"] == "<one@a.test>"
    assert (answered.fields["code"], answered.fields["sent"]) == (250, True)
    assert answered.fields["recipients"] == ["b@b.test", "c@b.test"]
    assert len((tmp_path / "history").read_text().splitlines()) == 8
    await peer.stop()


async def test_offers_what_the_settings_say() -> None:
    peer = await Peer.start(Settings(pipelining=False, smtputf8=False, mechanisms=()))
    smtp = await client(peer)
    await smtp.ehlo()
    assert not smtp.supports_extension("pipelining")
    assert not smtp.supports_extension("smtputf8")
    assert not smtp.supports_extension("auth")
    assert smtp.supports_extension("8bitmime")
    smtp.close()
    await peer.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_lets_the_right_password_in_and_no_other(mechanism: str) -> None:
    peer = await Peer.start(Settings(mechanisms=(mechanism,), accounts={"me": "right"}, auth_required=True))
    smtp = await client(peer)
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    assert refused.value.code == 530
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as wrong:
        await smtp.login("me", "wrong")
    assert wrong.value.code == 535
    await smtp.login("me", "right")
    await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    assert peer.history.counts["answered_250"] == 1
    smtp.close()
    await peer.stop()


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
async def test_speaks_tls_both_ways(certificates: Certificates, tls: Tls) -> None:
    peer = await Peer.start(Settings(tls=tls), context=server_context(certificates.good))
    way = {"start_tls": True} if tls is Tls.STARTTLS else {"use_tls": True}
    smtp = await client(peer, cert_bundle=str(certificates.bundle), **way)
    await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    await smtp.quit()
    assert peer.history.counts["answered_250"] == 1
    await peer.stop()


@pytest.mark.parametrize("which", ["expired", "wrong_name"])
async def test_a_bad_certificate_is_seen_by_the_client(certificates: Certificates, which: str) -> None:
    peer = await Peer.start(Settings(tls=Tls.STARTTLS), context=server_context(getattr(certificates, which)))
    with pytest.raises((aiosmtplib.SMTPException, OSError)) as bad:
        await client(peer, cert_bundle=str(certificates.bundle), start_tls=True)
    assert "certificate" in str(bad.value)
    await peer.stop()


async def test_stripped_starttls_is_not_offered(certificates: Certificates) -> None:
    settings = Settings(tls=Tls.STARTTLS, strip_starttls=True)
    peer = await Peer.start(settings, context=server_context(certificates.good))
    with pytest.raises(aiosmtplib.SMTPException):
        await client(peer, start_tls=True)
    await peer.stop()


async def test_refuses_what_is_larger_than_it_said() -> None:
    peer = await Peer.start(Settings(size=10))
    smtp = await client(peer)
    await smtp.ehlo()
    code, _ = await smtp.execute_command(b"MAIL", b"FROM:<a@a.test>", b"SIZE=11")
    assert code == 552
    smtp.close()
    await peer.stop()
