"""What the outbox and the owners of settings say becomes what people see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from contracts.conversation import Correspondent
from contracts.event import event
from contracts.message import SignatureUsed
from contracts.outbound import (
    FailureReason,
    KnownBy,
    MessageCommitted,
    MessageDeferred,
    MessageFailed,
    MessageInterrupted,
    MessageQueued,
    MessageSent,
    RecipientReport,
    RecipientState,
)
from contracts.outcome import ChannelChangeRejected, FieldError, RejectionCode
from contracts.signature import Why
from contracts.topics import CHANNEL_STATUS, CHANNELS
from services.gateway.adapters.rest_channels import ChannelResource
from services.gateway.domain.message import Message, Status
from services.gateway.domain.refusal import Code, Refused
from services.gateway.ports import Connected, Wish
from tests.unit.gateway.world import CHANNEL, NOW, TENANT, World, ana, channel, world

UNDO = NOW + timedelta(seconds=10)


@pytest.fixture
async def here() -> World:
    return await world()


class Outbox:
    """Says things about one message."""

    def __init__(self, here: World, message: Message) -> None:
        self._here, self._message = here, message

    async def says(self, kind: Any, version: int, **fields: Any) -> Message:
        """Publishes one fact; the message as it is kept then."""
        ids = {name: getattr(self._message, name) for name in ("message_id", "conversation_id", "channel_id")}
        fact = kind(version=version, **ids, **fields)
        await self._here.use.project.handle(event(TENANT, fact, at=NOW, source="outbox"))
        return self._here.messages.kept[TENANT, self._message.message_id]

    async def queued(self, version: int = 1) -> Message:
        """The outbox holds it."""
        return await self.says(
            MessageQueued, version, internet_message_id="<a@b>", to=(Correspondent(address="carla@client.test"),),
            subject="Hello", signature=SignatureUsed(id="default", version=2, why=Why.DEFAULT), accepted_at=NOW,
            undo_until=UNDO, due_at=UNDO, expires_at=UNDO,
        )  # fmt: skip


def report(state: RecipientState) -> tuple[RecipientReport, ...]:
    return (RecipientReport(address="carla@client.test", state=state, code=250, enhanced="2.0.0", text="ok"),)


@pytest.fixture
async def outbox(here: World) -> Outbox:
    return Outbox(here, await here.message())


async def test_the_clock_gets_its_number_and_goes(outbox: Outbox) -> None:
    seen = await outbox.queued()
    assert (seen.status, seen.interruptible, seen.progress.undo_until) == (Status.QUEUED, True, UNDO)
    assert seen.progress.signature == {"id": "default", "version": 2, "why": "default"}
    seen = await outbox.says(MessageCommitted, 2, attempt=1, recipients=("carla@client.test",))
    assert (seen.status, seen.interruptible, seen.progress.attempt) == (Status.COMMITTED, False, 1)
    seen = await outbox.says(MessageSent, 3, sent_at=NOW, recipients=report(RecipientState.ACCEPTED))
    assert (seen.status, seen.parked, seen.progress.finished_at) == (Status.SENT, False, NOW)
    assert (seen.progress.recipients[0].state, seen.progress.recipients[0].code) == ("accepted", 250)
    assert seen.progress.undo_until == UNDO


async def test_an_older_fact_changes_nothing(outbox: Outbox) -> None:
    await outbox.says(MessageSent, 3, sent_at=NOW, recipients=report(RecipientState.ACCEPTED))
    seen = await outbox.queued()
    assert (seen.status, seen.progress.undo_until) == (Status.SENT, None)


@pytest.mark.parametrize(("interruptible", "status"), [(True, Status.QUEUED), (False, Status.COMMITTED)])
async def test_after_a_deferral_the_clock_shows_where_nobody_has_it(
    outbox: Outbox, interruptible: bool, status: Status
) -> None:
    seen = await outbox.says(
        MessageDeferred, 3, attempt=1, next_attempt_at=UNDO, interruptible=interruptible,
        recipients=report(RecipientState.OPEN),
    )  # fmt: skip
    assert (seen.status, seen.interruptible, seen.progress.next_attempt_at) == (status, interruptible, UNDO)


async def test_parked_is_told_from_failed(outbox: Outbox) -> None:
    recipients = report(RecipientState.UNKNOWN)
    reason = FailureReason.OUTCOME_UNKNOWN
    seen = await outbox.says(MessageFailed, 3, failed_at=NOW, reason=reason, recipients=recipients)
    assert (seen.status, seen.progress.reason, seen.parked) == (Status.FAILED, "outcome_unknown", True)
    accepted, copy = report(RecipientState.ACCEPTED), KnownBy.SENT_COPY
    seen = await outbox.says(MessageSent, 4, sent_at=NOW, recipients=accepted, known_by=copy)
    assert (seen.status, seen.progress.reason, seen.parked) == (Status.SENT, "sent_copy", False)


async def test_a_known_failure_is_not_parked(outbox: Outbox) -> None:
    refused = report(RecipientState.REFUSED)
    seen = await outbox.says(MessageFailed, 4, failed_at=NOW, reason=FailureReason.REFUSED, recipients=refused)
    assert not seen.parked


@pytest.mark.parametrize(
    ("kind", "fields", "stays"),
    [
        (MessageInterrupted, {"interrupted_at": NOW, "interrupted_by": ()}, False),
        (MessageFailed, {"failed_at": NOW, "reason": FailureReason.REFUSED, "recipients": ()}, False),
        (MessageFailed, {"failed_at": NOW, "reason": FailureReason.OUTCOME_UNKNOWN, "recipients": ()}, True),
        (MessageSent, {"sent_at": NOW, "recipients": ()}, True),
    ],
)
async def test_nothing_answers_what_nobody_got(here: World, kind: Any, fields: dict[str, Any], stays: bool) -> None:
    message = await here.message()
    await Outbox(here, message).says(kind, 3, **fields)
    thread = here.conversations.kept[TENANT, message.conversation_id].thread
    assert (message.internet_message_id in thread) is stays


async def test_a_message_that_is_none_of_ours_is_left_alone(here: World) -> None:
    stranger = await here.message()
    del here.messages.kept[TENANT, stranger.message_id]
    with pytest.raises(KeyError):
        await Outbox(here, stranger).queued()
    assert stranger.message_id not in {one for _, one in here.messages.kept}


def status(state: ConnectionState, version: int = 1, way: Direction = Direction.SMTP) -> ChannelStatusChanged:
    return ChannelStatusChanged(
        version=version, channel_id=CHANNEL, direction=way, state=state, reason=ConnectionReason.NONE, since=NOW
    )


async def test_a_channel_shows_both_directions(here: World) -> None:
    seen = ChannelResource.of(await _read(here))
    assert (seen.status.smtp.state, seen.status.imap.state) == ("connecting", "disabled")
    assert seen.status.imap.reason == "not_watched"
    for said in (status(ConnectionState.CONNECTED, 2), status(ConnectionState.CONNECTING)):
        await here.use.settings.handle(event(TENANT, said, at=NOW, source="outbox"))
    seen = ChannelResource.of(await _read(here))
    assert (seen.status.smtp.state, seen.status.imap.reason) == ("connected", "not_watched")
    assert "jwe" not in seen.model_dump_json()
    await here.use.settings.forget(CHANNEL_STATUS, TENANT, f"{CHANNEL}/smtp")
    assert ChannelResource.of(await _read(here)).status.smtp.state == "connecting"


async def test_a_forgotten_channel_is_gone(here: World) -> None:
    await here.use.settings.forget(CHANNELS, TENANT, CHANNEL)
    assert isinstance(await here.use.channel.handle(ana(), CHANNEL), Refused)


async def test_an_answer_ends_the_wish_and_wakes_who_waits(here: World) -> None:
    for request_id in ("01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"):
        here.wishes.kept[TENANT, request_id] = Wish(request_id, TENANT, TENANT, "/v1/channels/x", NOW)
    granted, refused = [one for _, one in here.wishes.kept]
    state = channel(version=4, request_id=granted)
    await here.use.settings.handle(event(TENANT, state, at=NOW, source="config"))
    no = ChannelChangeRejected(
        request_id=refused, channel_id=CHANNEL, code=RejectionCode.SECRET_REQUIRED, detail="Give it again.",
        errors=(FieldError(field="credentials.smtp", code="secret_required", detail="Give it again."),),
        current_version=4,
    )  # fmt: skip
    await here.use.settings.handle(event(TENANT, no, at=NOW, source="config"))
    assert here.wishes.kept[TENANT, granted].granted == 4
    said = here.wishes.kept[TENANT, refused].refused
    assert said is not None
    assert (said.code, said.version, said.faults[0].field) == (Code.SECRET_REQUIRED, 4, "smtp.secret")
    assert here.waits.woken == [f"request/{TENANT}/{granted}", f"request/{TENANT}/{refused}"]
    assert here.channels.kept[TENANT, CHANNEL].version == 4


async def _read(here: World) -> Connected:
    found = await here.use.channel.handle(ana(), CHANNEL)
    assert isinstance(found, Connected)
    return found
