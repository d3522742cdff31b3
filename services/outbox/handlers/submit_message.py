"""One take-up of a message on an open session: envelope, commit, DATA, content, settle (DESIGN §3.3, §3.4).

```
envelope --all refused, lost--> ended before DATA (one compare-and-set)
         --the server wants no mail from us now--> nothing is written, the lane pauses
         --somebody accepted--> commit --not ours--> RSET
                                  v won
                                DATA -> content -> settle, the connection already free for the next message
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.kit.unavailable import Unavailable
from services.outbox.domain import attempt, envelope
from services.outbox.domain.backoff import Backoff, later
from services.outbox.domain.classify import PAUSES, Verdict, classify
from services.outbox.domain.document import Message
from services.outbox.domain.envelope import Verdicts
from services.outbox.domain.replies import NoReply, Stage
from services.outbox.handlers.commit_message import CommitMessage
from services.outbox.handlers.record_decision import Record
from services.outbox.handlers.settle_transmission import SettleTransmission
from services.outbox.ports import Clock, RawBlobs, Session


@dataclass(frozen=True, slots=True)
class Ended:
    """How a take-up ended. ``message``: the document as it was written, None where somebody else moved it or nothing
    was written; ``pause``: the answer that says the whole lane should wait."""

    message: Message | None = None
    pause: Verdict | None = None


@dataclass(frozen=True, slots=True)
class SubmitMessage:
    """Takes one message as far as it goes."""

    record: Record
    commit: CommitMessage
    settle: SettleTransmission
    blobs: RawBlobs
    clock: Clock
    chance: Callable[[], float]
    retry: Backoff

    async def handle(self, message: Message, sender: str, session: Session, freed: Callable[[], None]) -> Ended:
        """``freed`` is called once, when the session is given back: before the settle is written."""
        octets = await self._octets(message)
        to = tuple(each.address for each in message.to_try)
        answers = await session.envelope(sender, to, len(octets))
        verdicts = envelope.judge(to, answers.mail, answers.rcpt)
        if pause := envelope.pausing(verdicts):
            return await self._give_back(session, freed, Ended(pause=pause))
        if envelope.lost(answers.mail, answers.rcpt) or not envelope.taken(verdicts):
            await self._give_back(session, freed, Ended())
            return await self._end(message, envelope.not_taken(verdicts))
        return await self._go_on(message, verdicts, octets, session, freed)

    async def _go_on(
        self, message: Message, verdicts: Verdicts, octets: bytes, session: Session, freed: Callable[[], None]
    ) -> Ended:
        accepted = envelope.taken(verdicts)
        deadline = self.clock.monotonic() + self.commit.limit.seconds
        committed = await self.commit.handle(message, accepted, envelope.not_taken(verdicts))
        if committed is None:
            return await self._give_back(session, freed, Ended())
        result = await self._transmit(octets, session, deadline)
        await session.release()
        freed()
        written = await self.settle.handle(committed, dict.fromkeys(accepted, result))
        return Ended(written, pause=result if result.kind in PAUSES else None)

    async def _transmit(self, octets: bytes, session: Session, deadline: float) -> Verdict:
        if self.clock.monotonic() >= deadline:
            await session.close()
            return classify(Stage.DATA, NoReply(detail="deadline"))
        answer = await session.data(deadline)
        if envelope.goes(answer):
            return classify(Stage.CONTENT, await session.content(octets, deadline))
        await (session.reset() if envelope.in_step(answer) else session.close())
        return classify(Stage.DATA, answer)

    async def _end(self, message: Message, verdicts: Verdicts) -> Ended:
        now = self.record.database_clock.now()
        again_at = later(now, self.retry.seconds(message.tries, self.chance()))
        decision = attempt.ended_before_data(message, verdicts, now, again_at)
        return Ended(decision.after if await self.record.write(message, decision, now) else None)

    async def _octets(self, message: Message) -> bytes:
        if message.raw is None:
            raise Unavailable("a message that waits has no raw form")
        if message.raw.octets is not None:
            return message.raw.octets
        return await self.blobs.read(message.tenant, message.raw.blob_id or "")

    async def _give_back(self, session: Session, freed: Callable[[], None], ended: Ended) -> Ended:
        await session.reset()
        await session.release()
        freed()
        return ended
