"""What a Sent copy proves: the one transmission of a parked message, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.event import event
from contracts.message import SentCopyFound
from contracts.outbound import KnownBy, MessageSent
from services.outbox.domain.cancel import cancel as meets
from services.outbox.domain.document import Message, Reason, Status
from services.outbox.domain.facts import Answered, Outcome, Told
from services.outbox.domain.resolve import resolved
from services.outbox.handlers.resolve_message import ResolveMessage
from tests.unit.outbox.desk import Replica, World
from tests.unit.outbox.made import CHANNEL, NOW, TENANT, S, cancel, message, states

ENDED = NOW - timedelta(minutes=2)


def parked(*states_: S, **fields: Any) -> Message:
    """It ended with an outcome nobody can know."""
    known = {"reason": Reason.OUTCOME_UNKNOWN, "terminal_at": ENDED, "transmissions": 1}
    return message(Status.FAILED, *(states_ or (S.UNKNOWN,)), **(known | fields))


def test_a_copy_resolves_the_first_transmission_as_sent() -> None:
    before = parked(S.UNKNOWN, S.STOPPED)
    decision = resolved(before, NOW)
    assert decision is not None
    after = decision.after
    assert (after.status, after.reason, states(after)) == (Status.SENT, None, [S.ACCEPTED, S.STOPPED])
    assert (after.version, after.terminal_at, after.resolved_at) == (before.version + 1, ENDED, NOW)
    assert decision.facts == (Told.SENT,)
    assert resolved(after, NOW) is None, "a repeat changes nothing"


@pytest.mark.parametrize(
    "it",
    [
        parked(transmissions=2),
        parked(transmissions=0),
        parked(reason=Reason.REFUSED),
        message(Status.SENT, S.ACCEPTED, S.UNKNOWN, transmissions=1, terminal_at=ENDED),
        message(Status.COMMITTED, transmissions=1),
        message(Status.QUEUED),
        message(Status.INTERRUPTED, terminal_at=ENDED),
        message(Status.UNSEEN),
    ],
)
def test_it_proves_nothing_about_any_other(it: Message) -> None:
    assert resolved(it, NOW) is None


def test_its_cancels_are_told_for_ever_what_they_were_told_while_it_was_parked() -> None:
    before = parked()
    decision = resolved(before, NOW)
    assert decision is not None
    told = Answered(cancel(), Outcome.TOO_LATE, Status.FAILED)
    assert meets(before, cancel(), NOW) == meets(decision.after, cancel(), NOW) == told


async def test_the_finding_is_told_once_as_sent_and_of_its_own_channel_alone() -> None:
    world = World()
    before = parked()
    world.store.documents[f"{TENANT}/{before.message_id}"] = before
    handler = ResolveMessage(Replica(world).record)
    data = SentCopyFound(message_id=before.message_id, channel_id=CHANNEL, found_at=NOW)
    foreign = data.model_copy(update={"channel_id": "019cc000-0000-7000-8000-0000000000ff"})
    for said, tenant in ((foreign, TENANT), (data, "another"), (data, TENANT), (data, TENANT)):
        await handler.handle(event(tenant, said, at=NOW, source="ingest"))
    (told,) = world.store.owed[f"{TENANT}/{before.message_id}"]
    assert isinstance(told.data, MessageSent)
    assert (told.data.known_by, told.data.sent_at, told.data.version) == (KnownBy.SENT_COPY, ENDED, 4)
