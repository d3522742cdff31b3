"""The peer as a process under remote control, and its instant mode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiosmtplib
import pytest

from tests.infra.smtp_peer import Action, PeerProcess, Rule, Stage, spawn
from tests.infra.smtp_peer.client import PeerRefused

MAIL = b"Subject: hello\r\nMessage-ID: <one@a.test>\r\n\r\n.dot\r\nbody\r\n"


@pytest.fixture
async def peer() -> AsyncIterator[PeerProcess]:
    made = await spawn()
    yield made
    await made.stop()


@pytest.fixture
async def sink() -> AsyncIterator[PeerProcess]:
    made = await spawn("--instant")
    yield made
    await made.stop()


async def connected(peer: PeerProcess) -> aiosmtplib.SMTP:
    smtp = aiosmtplib.SMTP(hostname="127.0.0.1", port=peer.port, start_tls=False, timeout=5)
    await smtp.connect()
    return smtp


async def test_is_steered_and_read_from_outside(peer: PeerProcess) -> None:
    await peer.client.rules(Rule(Stage.RCPT, code=550, text="5.1.1 no", times=1))
    smtp = await connected(peer)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    assert await peer.client.wait_for("answered_250", 1, 5) == 1
    history = await peer.client.history()
    content = next(entry for entry in history if entry.event == "content")
    assert await peer.client.content(content) == MAIL.replace(b"\r\n.dot", b"\r\n..dot")
    assert (await peer.client.history(content.n))[0] == content
    smtp.close()


async def test_severs_and_resets(peer: PeerProcess) -> None:
    smtp = await connected(peer)
    assert await peer.client.sever() == 1
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    await peer.client.reset()
    assert (await peer.client.counts()).get("connected", 0) == 0


async def test_settings_change_while_it_runs(peer: PeerProcess) -> None:
    await peer.client.settings(delays={"final": 0.15}, pipelining=False)
    began = time.monotonic()
    smtp = await connected(peer)
    await smtp.sendmail("a@a.test", ["b@b.test"], MAIL)
    assert not smtp.supports_extension("pipelining")
    assert time.monotonic() - began >= 0.15
    smtp.close()


async def test_a_wrong_request_is_answered(peer: PeerProcess) -> None:
    with pytest.raises(PeerRefused, match="no_such"):
        await peer.client.settings(no_such=1)
    await peer.client.rules(Rule(Stage.QUIT, Action.DROP))


async def test_the_sink_takes_everything_and_says_what(sink: PeerProcess) -> None:
    smtp = await connected(sink)
    await smtp.login("anybody", "anything")
    for _ in range(3):
        await smtp.sendmail("a@a.test", ["b@b.test", "c@b.test"], MAIL)
    await smtp.quit()
    answered = [entry for entry in await sink.client.history() if entry.event == "answered"]
    assert len(answered) == 3
    assert answered[0].fields["message_id"] == "<one@a.test>"
    assert answered[0].fields["recipients"] == ["b@b.test", "c@b.test"]
    assert answered[0].fields["size"] == len(MAIL) + 1


async def test_the_sink_answers_a_pipelined_burst_in_order(sink: PeerProcess) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    await reader.readline()
    envelope = b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"
    writer.write((envelope + b"Message-ID: <x@a.test>\r\n\r\nhi\r\n.\r\n") * 2 + b"QUIT\r\n")
    codes = [line[:3] for line in (await reader.read()).splitlines()]
    assert codes == [b"250", b"250", b"354", b"250"] * 2 + [b"221"]
    writer.close()


async def test_a_slow_sink_holds_only_the_final_reply(sink: PeerProcess) -> None:
    await sink.client.settings(delays={"final": 0.2})
    clients = await asyncio.gather(*(connected(sink) for _ in range(20)))
    began = time.monotonic()
    await asyncio.gather(*(one.sendmail("a@a.test", ["b@b.test"], MAIL) for one in clients))
    assert 0.2 <= time.monotonic() - began < 1.5
    for one in clients:
        one.close()


async def test_the_sink_notes_content_that_was_cut(sink: PeerProcess) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", sink.port)
    writer.write(b"MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\nMessage-ID: <x@a.test>\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    assert await sink.client.wait_for("partial", 1, 5) == 1
    assert (await sink.client.history())[-1].fields["message_id"] == "<x@a.test>"
