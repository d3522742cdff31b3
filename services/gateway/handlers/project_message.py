"""Keep what the outbox says about messages, and wake who waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import Event
from contracts.outbound import (
    FailureReason,
    InterruptAnswered,
    KnownBy,
    MessageCommitted,
    MessageDeferred,
    MessageFailed,
    MessageInterrupted,
    MessageQueued,
    MessageSent,
    OutboundFact,
    RecipientReport,
)
from services.gateway.domain.message import Progress, Recipient, Status, wants_attention
from services.gateway.handlers.interrupt_message import waiting_for
from services.gateway.ports import Conversations, Messages, Waits

_NEVER_GOT: Final = frozenset({Status.INTERRUPTED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class ProjectMessage:
    """Facts are guarded by the outbox's version, answers go by their cancel id."""

    messages: Messages
    conversations: Conversations
    waits: Waits

    async def handle(self, event: Event[OutboundFact | InterruptAnswered]) -> None:
        """One event of the outbox."""
        said = event.data
        if isinstance(said, InterruptAnswered):
            await self.messages.answer(event.tenant, said, event.time)
            self.waits.wake(waiting_for(event.tenant, said.message_id))
        elif (progress := progress_of(said)) is not None:
            await self.messages.advance(event.tenant, said.message_id, progress)
            if progress.status in _NEVER_GOT or progress.reason or wants_attention(progress):
                await self._seen_to(event.tenant, said.message_id, progress)

    async def _seen_to(self, tenant: str, message_id: str, progress: Progress) -> None:
        """What comes next must not answer a Message-ID that nobody has got; a person is to see what went wrong, and no
        longer what turned out well."""
        message = await self.messages.get(tenant, message_id)
        if message is None:
            return
        if progress.status is Status.SENT and progress.reason:
            await self.conversations.attended(tenant, message.conversation_id, message_id)
        if progress.status in _NEVER_GOT and progress.reason != FailureReason.OUTCOME_UNKNOWN:
            await self.conversations.retract(tenant, message.conversation_id, message.internet_message_id)
        if wants_attention(progress):
            await self.conversations.ask_attention(tenant, message.conversation_id, message_id)


def progress_of(fact: OutboundFact) -> Progress | None:
    """What a fact says about its message; None where it is a kind we do not know yet."""
    match fact:
        case MessageQueued():
            signature = fact.signature.model_dump(mode="json")
            until, due = fact.undo_until, fact.due_at
            return Progress(Status.QUEUED, fact.version, undo_until=until, due_at=due, signature=signature)
        case MessageCommitted():
            return Progress(Status.COMMITTED, fact.version, attempt=fact.attempt)
        case MessageDeferred():
            return _deferred(fact)
        case MessageSent():
            return _sent(fact)
        case MessageFailed():
            recipients, reason = _recipients(fact.recipients), str(fact.reason)
            return Progress(
                Status.FAILED, fact.version, finished_at=fact.failed_at, reason=reason, recipients=recipients
            )
        case MessageInterrupted():
            at, by = fact.interrupted_at, fact.interrupted_by
            return Progress(Status.INTERRUPTED, fact.version, finished_at=at, interrupted_by=by)
    return None


def _sent(fact: MessageSent) -> Progress:
    """The reason says so where no answer of the next hop, but a copy in the Sent mailbox tells that it was sent."""
    reason = str(fact.known_by) if fact.known_by is not KnownBy.ANSWER else None
    return Progress(
        Status.SENT, fact.version, finished_at=fact.sent_at, reason=reason, recipients=_recipients(fact.recipients)
    )


def _deferred(fact: MessageDeferred) -> Progress:
    """The clock shows again where nobody has the message."""
    status = Status.QUEUED if fact.interruptible else Status.COMMITTED
    return Progress(
        status, fact.version, next_attempt_at=fact.next_attempt_at, attempt=fact.attempt,
        recipients=_recipients(fact.recipients),
    )  # fmt: skip


def _recipients(reports: tuple[RecipientReport, ...]) -> tuple[Recipient, ...]:
    return tuple(Recipient(one.address, str(one.state), one.code, one.enhanced, one.text) for one in reports)
