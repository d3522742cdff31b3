"""The Sent copy on GreenMail, which knows no special uses, and no `\\Sent` until somebody makes such a mailbox."""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.local import sockets, tools
from deploy.local.infra.mail import GreenMail, MailPorts, add_user
from services.ingest.adapters.imap_session import ImapSession
from services.ingest.adapters.imap_timing import Timing
from services.ingest.adapters.streamed import streamed
from tests.infra.imap_account import account, mailboxes

USER, PASSWORD = "desk@acme.test", "sandbox"
OURS = b"From: desk@acme.test\r\nMessage-ID: <%d.ours@acme.test>\r\nSubject: ours\r\n\r\nhello\r\n"


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and whom to trust."""

    imaps: int
    ca_file: Path


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A GreenMail of our own with one user."""
    folder = tmp_path_factory.mktemp("greenmail")
    made = GreenMail(folder, MailPorts(*(sockets.free_port() for _ in range(5))))
    await asyncio.to_thread(tools.prepare)
    await made.start()
    await add_user(made.api, USER, PASSWORD)
    yield Server(made.ports.imaps, folder / "ca.pem")
    await made.stop()


async def session_of(server: Server) -> ImapSession:
    """Logged in."""
    boxes = mailboxes({server.imaps}, server.ca_file, Timing(open_s=20.0, command_s=20.0))
    opened = await boxes.open(account(server.imaps, USER, PASSWORD, host="127.0.0.1", security="tls"))
    assert isinstance(opened, ImapSession), opened
    return opened


def _make(server: Server, mailbox: str) -> list[bytes]:
    """Make the mailbox where it is missing; what lies in it."""
    trust = ssl.create_default_context(cafile=str(server.ca_file))
    with imaplib.IMAP4_SSL("127.0.0.1", server.imaps, ssl_context=trust, timeout=10) as client:
        client.login(USER, PASSWORD)
        client.create(mailbox)
        client.select(mailbox, readonly=True)
        numbers = client.search(None, "ALL")[1][0].split()
        fetched = [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
        return [answer[1] for answer in fetched if isinstance(answer, tuple)]


async def test_the_sent_copy(server: Server) -> None:
    session = await session_of(server)
    assert await session.find_in_sent("<1.ours@acme.test>") is None, "there is no such mailbox"
    assert await session.append_to_sent(streamed(OURS % 1), datetime.now(UTC)) is False
    await session.close()
    await asyncio.to_thread(_make, server, "Sent")
    session = await session_of(server)
    assert await session.find_in_sent("<1.ours@acme.test>") is False
    for number in (1, 2):
        assert await session.append_to_sent(streamed(OURS % number), datetime.now(UTC)) is True
    assert [await session.find_in_sent(f"<{number}.ours@acme.test>") for number in (1, 2, 3)] == [True, True, False]
    assert await session.fetch_above(0, 10) == [], "INBOX is selected again"
    await session.close()
    assert await asyncio.to_thread(_make, server, "Sent") == [OURS % 1, OURS % 2]
