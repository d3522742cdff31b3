"""Sent messages are filed: searched first, appended where missing, later where the server is away, given up at last."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.event import event
from contracts.message import SentCopyFound, SentCopyOffered
from contracts.outbound import FailureReason, MessageFailed
from services.ingest.adapters.budgets import Limits, ReplicaBudgets
from services.ingest.domain.account import Account
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.sent_copy import FIRST_S
from services.ingest.domain.session import NotOpen
from services.ingest.handlers.file_copies import FileCopies
from services.ingest.handlers.hold_mailboxes import Desk, HoldMailboxes
from services.ingest.handlers.note_copy import NoteCopy
from services.ingest.handlers.seek_copy import SeekCopy
from services.ingest.ports import MailSession, OwnMail
from tests.fakes.clock import FakeClock
from tests.fakes.ingest_mailbox import FakeServer, mail
from tests.fakes.ingest_store import FakeCopies, FakeOwnMails
from tests.fakes.publisher import FakePublisher
from tests.unit.ingest.world import ACCOUNT, CHANNEL, KEY, TENANT

MESSAGE, OTHER = "0195a000-0000-7000-8000-00000000000a", "0195a000-0000-7000-8000-00000000000b"
OURS = mail("ours", "Message-ID: <ours@acme.test>")


class Scene:
    """A message was sent on a channel that is watched."""

    def __init__(self) -> None:
        self.clock, self.copies, self.server = FakeClock(), FakeCopies(), FakeServer()
        nobody: Any = None
        hold = HoldMailboxes(nobody, nobody, nobody, self.clock, lambda: 0.5, Desk())
        hold.desk.board.watched[KEY] = ACCOUNT
        budgets = ReplicaBudgets(self.clock, Limits())
        self.desk, self.note = hold.desk, NoteCopy(self.copies, self.clock)
        self.publisher, self.own_mails = FakePublisher(), FakeOwnMails()
        self.seek = SeekCopy(self.copies, self.own_mails, self.clock)
        self.file = FileCopies(self.copies, self.server, budgets, hold, self.clock, self.publisher)

    async def offer(self, channel: str = CHANNEL) -> None:
        """The outbox offers it."""
        data = SentCopyOffered(
            message_id=MESSAGE if channel == CHANNEL else OTHER, channel_id=channel, sent_at=self.clock.now(),
            internet_message_id="<ours@acme.test>", mime=base64.b64encode(OURS).decode(),
        )  # fmt: skip
        await self.note.handle(event(TENANT, data, at=self.clock.now(), source="outbox"))

    async def park(self, reason: FailureReason = FailureReason.OUTCOME_UNKNOWN) -> None:
        """The outbox says that it failed."""
        data = MessageFailed(
            message_id=MESSAGE, conversation_id=MESSAGE, channel_id=CHANNEL, failed_at=self.clock.now(), reason=reason,
            recipients=(),
        )  # fmt: skip
        await self.seek.handle(event(TENANT, data, at=self.clock.now(), source="outbox"))

    async def after(self, seconds: float) -> None:
        """Time passes and the loop runs."""
        self.clock.advance(seconds)
        await self.file.handle()


@pytest.fixture
async def scene() -> Scene:
    """The message was offered just now."""
    made = Scene()
    await made.offer()
    return made


async def test_it_is_appended_once_after_a_while(scene: Scene) -> None:
    await scene.after(1)
    assert scene.server.opened == 0
    await scene.after(FIRST_S)
    assert scene.server.sent == [OURS]
    assert scene.copies.copies == {}
    await scene.offer()
    await scene.after(FIRST_S)
    assert scene.server.sent == [OURS], "a repeated offer finds it there"
    assert scene.server.sessions == []


async def test_what_the_provider_filed_is_left_alone(scene: Scene) -> None:
    scene.server.sent.append(b"Received: by us\r\n" + OURS)
    await scene.after(FIRST_S)
    assert len(scene.server.sent) == 1
    assert scene.copies.copies == {}


async def test_a_server_that_is_away_is_asked_later_and_given_up_at_last(scene: Scene) -> None:
    scene.server.refuses = [Trouble(Stage.CONNECT, Sign.REFUSED)] * 5
    await scene.after(FIRST_S)
    (waiting,) = scene.copies.copies.values()
    assert waiting.due_at - scene.clock.now() >= timedelta(seconds=59)
    await scene.after(30)
    assert scene.server.opened == 1
    for _ in range(4):
        await scene.after(7 * 3600)
    assert scene.server.opened == 5
    assert (scene.server.sent, scene.copies.copies) == ([], {})


async def test_a_channel_that_hangs_holds_up_no_other(scene: Scene) -> None:
    class Hanging(FakeServer):
        async def open(self, account: Account) -> MailSession | NotOpen:
            return await (asyncio.Future() if account.channel_id == OTHER else scene.server.open(account))

    scene.desk.board.watched[TENANT, OTHER] = replace(ACCOUNT, channel_id=OTHER)
    await scene.offer(OTHER)
    scene.clock.advance(FIRST_S)
    filing = asyncio.create_task(replace(scene.file, mailboxes=Hanging()).handle())
    async with asyncio.timeout(5):
        while not scene.server.sent:
            await asyncio.sleep(0.001)
    filing.cancel()


async def test_another_replica_s_channels_are_left_to_it(scene: Scene) -> None:
    scene.desk.board.watched.clear()
    await scene.after(FIRST_S)
    assert scene.server.opened == 0
    assert len(scene.copies.copies) == 1


@pytest.fixture
async def doubt() -> Scene:
    """A message was parked just now."""
    made = Scene()
    made.own_mails.mails[TENANT, MESSAGE] = OwnMail("00", 1, "<ours@acme.test>")
    await made.park()
    return made


async def test_the_copy_of_a_parked_message_is_told_where_it_is_there(doubt: Scene) -> None:
    doubt.server.sent.append(OURS)
    await doubt.after(FIRST_S)
    (told,) = doubt.publisher.published
    assert isinstance(told.data, SentCopyFound)
    assert (told.tenant, told.data.message_id, told.data.channel_id) == (TENANT, MESSAGE, CHANNEL)
    assert (doubt.copies.copies, doubt.server.sent) == ({}, [OURS])


async def test_absence_is_told_to_nobody_and_nothing_is_filed(doubt: Scene) -> None:
    await doubt.after(FIRST_S)
    assert [copy.sought for copy in doubt.copies.copies.values()] == [True]
    for _ in range(5):
        await doubt.after(7 * 3600)
    assert (doubt.publisher.published, doubt.server.sent, doubt.copies.copies) == ([], [], {})
    assert doubt.server.opened == 5


async def test_a_copy_that_comes_late_is_found(doubt: Scene) -> None:
    await doubt.after(FIRST_S)
    doubt.server.sent.append(OURS)
    await doubt.after(61)
    assert len(doubt.publisher.published) == 1


async def test_a_known_failure_and_an_unknown_message_are_not_looked_for() -> None:
    scene = Scene()
    await scene.park()
    scene.own_mails.mails[TENANT, MESSAGE] = OwnMail("00", 1, "<ours@acme.test>")
    await scene.park(FailureReason.REFUSED)
    assert scene.copies.copies == {}
