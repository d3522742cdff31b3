"""One take-up, command by command."""

from __future__ import annotations

import pytest

from services.outbox.domain.document import Message, Reason, Status
from services.outbox.domain.replies import Answer, NoReply, Reply
from services.outbox.handlers.submit_message import Ended
from tests.fakes.outbox_smtp import ScriptedSession
from tests.fakes.outbox_store import Fate
from tests.unit.outbox.desk import Replica, World, composed, wish
from tests.unit.outbox.made import TENANT, A, B, S, states


class Scene:
    """A message that was taken in, and a session to submit it on."""

    def __init__(self) -> None:
        self.world = World()
        self.replica = Replica(self.world)
        self.session = ScriptedSession()
        self.freed: list[list[str]] = []

    async def begin(self, *to: str) -> Message:
        """Intake."""
        asked = composed(1, *to)
        await self.replica.accept.handle(asked)
        await self.replica.desk.finish()
        found = await self.world.store.load(TENANT, asked.data.message_id)
        assert found is not None
        return found

    async def submit(self, message: Message) -> Ended:
        """The take-up."""
        return await self.replica.submit.handle(
            message, "desk@example.com", self.session, lambda: self.freed.append(list(self.world.hands.kinds))
        )

    async def now(self, message: Message) -> Message:
        """The document as it stands."""
        found = await self.world.store.load(TENANT, message.message_id)
        assert found is not None
        return found


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_it_goes_out_and_the_connection_is_free_before_the_settle(scene: Scene) -> None:
    message = await scene.begin()
    ended = await scene.submit(message)
    assert scene.session.heard == ["envelope", "DATA", "content", "release"]
    assert scene.session.taken == [b"Hello 1\r\n"]
    assert (await scene.now(message)).status is Status.SENT
    assert ended.message is not None
    assert scene.freed == [["MessageQueued", "MessageQueued", "MessageCommitted"]]  # what it still owed goes first
    assert scene.world.hands.kinds[3:] == ["MessageSent"]


async def test_a_cancel_before_the_commit_wins_and_nothing_leaves(scene: Scene) -> None:
    message = await scene.begin()
    await scene.replica.cancel.handle(wish(message.message_id))
    await scene.submit(message)
    assert scene.session.heard == ["envelope", "RSET", "release"]
    assert (await scene.now(message)).status is Status.INTERRUPTED


async def test_nobody_accepted_fails_without_a_commit(scene: Scene) -> None:
    message = await scene.begin()
    scene.session.rcpt[A] = Reply(550, "5.1.1", "no such user")
    await scene.submit(message)
    after = await scene.now(message)
    assert (after.status, after.reason, after.recipients[0].code) == (Status.FAILED, Reason.REFUSED, 550)
    assert "DATA" not in scene.session.heard


async def test_one_refused_and_one_accepted_is_sent(scene: Scene) -> None:
    message = await scene.begin(A, B)
    scene.session.rcpt[B] = Reply(550)
    await scene.submit(message)
    assert states(await scene.now(message)) == [S.ACCEPTED, S.REFUSED]


async def test_a_throttled_lane_writes_nothing_about_the_message(scene: Scene) -> None:
    message = await scene.begin()
    scene.session.mail = Reply(421, "4.7.0")
    ended = await scene.submit(message)
    assert ended.pause is not None
    assert await scene.now(message) == message


@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [
        (Reply(451), Status.QUEUED, S.OPEN),
        (Reply(554), Status.FAILED, S.REFUSED),
        (NoReply(dot_sent=False), Status.QUEUED, S.OPEN),
        (NoReply(dot_sent=True), Status.FAILED, S.UNKNOWN),
    ],
)
async def test_the_answer_to_the_content_decides(scene: Scene, answer: Answer, status: Status, state: S) -> None:
    message = await scene.begin()
    scene.session.to_content = answer
    await scene.submit(message)
    after = await scene.now(message)
    assert (after.status, states(after), after.transmission) == (status, [state], None)


async def test_an_odd_answer_to_data_closes_the_session(scene: Scene) -> None:
    message = await scene.begin()
    scene.session.to_data = Reply(250)
    await scene.submit(message)
    assert scene.session.heard[:3] == ["envelope", "DATA", "close"]
    assert (await scene.now(message)).status is Status.QUEUED


async def test_a_replica_that_slept_past_its_deadline_sends_nothing(scene: Scene) -> None:
    message = await scene.begin()
    commit = scene.world.store.commit

    async def slow(*args: object) -> object:
        found = await commit(*args)  # type: ignore[arg-type]
        scene.world.advance(301)
        return found

    scene.world.store.commit = slow  # type: ignore[assignment,method-assign]
    await scene.submit(message)
    assert scene.session.heard[:2] == ["envelope", "close"]
    assert (await scene.now(message)).status is Status.QUEUED


async def test_a_cancel_during_the_transmission_is_answered_by_the_settle(scene: Scene) -> None:
    message = await scene.begin()
    hold = scene.replica.cancel.handle(wish(message.message_id))
    scene.session.on["content"] = lambda: _run(hold)
    await scene.submit(message)
    assert scene.world.hands.kinds[-2:] == ["MessageSent", "InterruptAnswered"]
    assert scene.world.hands.told[-1].data.outcome == "too_late"


def _run(coroutine: object) -> None:
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        return
    raise AssertionError("the fake store never waits")


@pytest.mark.parametrize(
    ("fate", "heard", "status"),
    [
        (Fate.LOST_DONE, ["envelope", "DATA", "content", "release"], Status.SENT),
        (Fate.LOST_UNDONE, ["envelope", "RSET", "release"], Status.QUEUED),
        (Fate.LOST_LATER, ["envelope", "RSET", "release"], Status.QUEUED),
    ],
)
async def test_an_unanswered_commit_is_settled_by_a_write(
    scene: Scene, fate: Fate, heard: list[str], status: Status
) -> None:
    message = await scene.begin()
    scene.world.store._fate = lambda label: fate if label == "commit" else Fate.DONE
    await scene.submit(message)
    for late in scene.world.store.late:
        late()
    assert scene.session.heard == heard
    assert (await scene.now(message)).status is status


async def test_an_unanswered_settle_is_tried_until_it_is_known(scene: Scene) -> None:
    message, fates = await scene.begin(), [Fate.LOST_DONE]
    scene.world.store._fate = lambda label: fates.pop() if label == "write" and fates else Fate.DONE
    await scene.submit(message)
    after = await scene.now(message)
    assert (after.status, after.version) == (Status.SENT, message.version + 2)
