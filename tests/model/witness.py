"""What an outside observer saw: every event as first published, every content at the peer, every doubt, and what that
forbids. The promises are DESIGN §3's; the numbers are those of the exhaustive model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.event import AnyEvent
from contracts.outbound import (
    FailureReason,
    InterruptAnswered,
    InterruptOutcome,
    KnownBy,
    MessageFailed,
    MessageInterrupted,
    MessageSent,
)
from services.outbox.domain.document import TERMINAL, TO_TRY, Message, Reason, RecipientState, Status
from tests.model.story import Story

ALLOWED = {
    ("", "unseen"), ("", "queued"), ("", "failed"), ("unseen", "interrupted"), ("queued", "interrupted"),
    ("queued", "failed"), ("queued", "committed"), ("committed", "sent"), ("committed", "failed"),
    ("committed", "queued"), ("committed", "interrupted"), ("failed", "sent"),
}  # fmt: skip
ENDS = (MessageSent, MessageFailed, MessageInterrupted)


class Broken(AssertionError):
    """A promise of DESIGN §3 does not hold."""


@dataclass
class Witness:
    """Looks at everything, remembers what it needs."""

    story: Story
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)
    contents: int = 0
    doubted: set[tuple[str, str]] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    abandoned: set[str] = field(default_factory=set)
    senders: dict[str, int] = field(default_factory=dict)
    events: dict[str, AnyEvent] = field(default_factory=dict)
    answers: dict[tuple[str, str], InterruptAnswered] = field(default_factory=dict)
    seen: dict[str, Message] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    filed: bool = False
    sought: bool = False

    def published(self, event: AnyEvent) -> None:
        """An event reached Kafka."""
        if isinstance(event.data, InterruptAnswered):
            self._answered(event.tenant, event.data)
        elif event.id not in self.events:
            self._in_order(event)
        elif event.data != self.events[event.id].data:
            raise Broken("one event id, two contents")
        self.events[event.id] = event

    def _answered(self, tenant: str, answer: InterruptAnswered) -> None:
        before = self.answers.setdefault((tenant, answer.cancel_id), answer)
        if (before.outcome, before.status) != (answer.outcome, answer.status):
            raise Broken("I3 one cancel, two outcomes")
        if answer.outcome is InterruptOutcome.TOO_LATE and str(answer.status) not in ("sent", "failed"):
            raise Broken("I3 too late, but not ended")
        if answer.outcome is InterruptOutcome.INTERRUPTED and (self.contents_of(tenant) or self._copies(tenant)):
            raise Broken("I1 interrupted, yet transmitted")

    def _in_order(self, event: AnyEvent) -> None:
        mine = [each for each in self.events.values() if each.tenant == event.tenant and _is_state(each)]
        ends = [each.data for each in mine if isinstance(each.data, ENDS)]
        if ends and not _corrects(event.data, ends):
            raise Broken("I4 something new is told after the end")
        if any(each.sequence > event.sequence for each in mine):
            raise Broken("an event is told for the first time after a later one")

    def stored(self, name: str, message: Message | None, now: datetime) -> None:
        """The document after a step."""
        before = self.seen.get(name)
        if message is None:
            if before is not None:
                self._purged(name, before)
            return
        if message == before:
            return
        if name in self.purged:
            raise Broken("I4 a forgotten message is born again")
        self._moved(before, message)
        self._holds(message)
        self.seen[name] = message

    def _purged(self, name: str, before: Message) -> None:
        if not before.terminal and before.terminal_at is None:
            raise Broken("a message is forgotten that has not ended")
        self.purged.add(name)
        del self.seen[name]

    def _moved(self, before: Message | None, message: Message) -> None:
        old = before.status.value if before else ""
        if old != message.status.value and (old, message.status.value) not in ALLOWED:
            raise Broken(f"I4 transition {old} > {message.status.value}")
        if (
            before
            and message.status is not Status.UNSEEN
            and before.status in TERMINAL
            and _said(before) != _said(message)
            and not self._resolves(before, message)
        ):
            raise Broken("I4 an ended message changes")
        wishes = {each.cancel_id for each in self.story.wishes if each.tenant == message.tenant}
        if not {each.cancel_id for each in message.interrupted_by} <= wishes:
            raise Broken("I0 another tenant's cancel interrupts the message")
        if message.status is Status.INTERRUPTED and self._copies(message.tenant):
            raise Broken("I1 interrupted, yet transmitted")

    def _resolves(self, before: Message, message: Message) -> bool:
        """I4's one exception: parked, its copy stands in the Sent mailbox, and nothing else is changed."""
        parked = before.status is Status.FAILED and before.reason is Reason.OUTCOME_UNKNOWN
        others = [(it, now) for it, now in zip(before.recipients, message.recipients, strict=True) if it != now]
        doubted = all(it.state is RecipientState.UNKNOWN for it, _ in others)
        return parked and doubted and self.filed and message.status is Status.SENT and message.resolved_at is not None

    def resolved(self) -> bool:
        """Whether the message was parked, and told to be sent later."""
        return any(isinstance(each.data, MessageSent) and each.data.known_by is KnownBy.SENT_COPY
                   for each in self.events.values())  # fmt: skip

    def ended_as(self, message: Message) -> str:
        """The status it ended with, which is what its cancels are told for ever."""
        return Status.FAILED.value if message.resolved_at is not None else message.status.value

    def _holds(self, message: Message) -> None:
        if message.held_cancels and message.status is not Status.UNSEEN and message.transmission is None:
            raise Broken("I3b a wish is forgotten in a document that nobody transmits")
        if message.status is Status.QUEUED and any(each.state not in _QUEUED for each in message.recipients):
            raise Broken("the clock shows, though somebody may have it")
        for each in message.recipients:
            self._recipient(message, each.address, each.state)

    def _recipient(self, message: Message, address: str, state: RecipientState) -> None:
        who = (message.tenant, address)
        if state is RecipientState.ACCEPTED and not self.copies[who]:
            raise Broken("I9 called accepted, never transmitted")
        if state is RecipientState.UNKNOWN and who not in self.doubted:
            raise Broken("I10 unknown, though its transmission never was in doubt")
        if state is RecipientState.STOPPED and not any(each.tenant == message.tenant for each in self.story.wishes):
            raise Broken("I8 stopped by nobody")
        expired = message.expires_at is not None and message.terminal_at is not None
        late = expired and message.terminal_at >= message.expires_at  # type: ignore[operator]
        if state is RecipientState.REFUSED and not late and address not in self.refused:
            raise Broken("I8 given up without a reason")

    def content(self, tenant: str, standing: Message | None, replica: int, to: tuple[str, ...], session: int) -> None:
        """Content is about to leave: is this transmission ours to make?"""
        open_one = standing.transmission if standing else None
        if standing is None or open_one is None or not open_one.by.startswith(f"r{replica}."):
            raise Broken("I2 content leaves without a transmission of its own")
        if set(open_one.to) != set(to) or self.senders.setdefault(open_one.by, session) != session:
            raise Broken("I2 two sessions in DATA for one attempt")
        if any(each.outcome is InterruptOutcome.INTERRUPTED for (of, _), each in self.answers.items() if of == tenant):
            raise Broken("I1 content leaves after the interrupt")
        self.contents += 1

    def taken(self, tenant: str, to: tuple[str, ...]) -> None:
        """The peer has the message."""
        for address in to:
            who = (tenant, address)
            self.copies[who] += 1
            if self.copies[who] > 1 and (not self.story.resend or who not in self.doubted):
                raise Broken("I6 two copies" if self.story.resend else "I7 park: two copies")

    def lapsed(self, message: Message) -> None:
        """A transmission's time passed and nobody settled it: its recipients are in doubt, unless it never began."""
        if message.transmission and message.transmission.by not in self.abandoned:
            self.doubted |= {(message.tenant, address) for address in message.transmission.to}

    def contents_of(self, tenant: str) -> bool:
        """Whether the peer has anything of this tenant's message."""
        return self._copies(tenant) > 0

    def _copies(self, tenant: str) -> int:
        return sum(many for (of, _), many in self.copies.items() if of == tenant)


_QUEUED = TO_TRY - {RecipientState.MAYBE} | {RecipientState.REFUSED}


def _corrects(told: object, ends: Sequence[object]) -> bool:
    """A parked message is told to be sent, once."""
    parked = [each for each in ends if isinstance(each, MessageFailed) and each.reason is FailureReason.OUTCOME_UNKNOWN]
    return isinstance(told, MessageSent) and told.known_by is KnownBy.SENT_COPY and parked == list(ends)


def _is_state(event: AnyEvent) -> bool:
    return not isinstance(event.data, InterruptAnswered)


def _said(message: Message) -> tuple[object, ...]:
    return message.status, message.version, message.recipients, message.interrupted_by, message.reason
