"""One message with everything the history says about it, and the list of what was found wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tests.chaos.history import Accepted, History, Reply, Spoken, Taken, Wish, by_message

FINAL = {"MessageSent": "sent", "MessageFailed": "failed", "MessageInterrupted": "interrupted"}
INTERRUPTED = ("interrupted", "already_interrupted")
KINDS = ("interrupted_and_transmitted", "two_outcomes", "untrue", "unsettled", "lost", "doubled", "parked")


@dataclass(frozen=True, slots=True)
class Message:
    """Everything the history says about one message."""

    message_id: str
    tenant: str
    accepted: Accepted | None
    wishes: tuple[Wish, ...]
    replies: tuple[Reply, ...]
    spoken: tuple[Spoken, ...]
    taken: tuple[Taken, ...]

    def finals(self) -> list[Spoken]:
        """The distinct final events (a repeat has the same id)."""
        return list({one.event_id: one for one in self.spoken if one.kind in FINAL}.values())

    @property
    def final(self) -> Spoken | None:
        """The final event, where there is one."""
        return next(iter(self.finals()), None)

    @property
    def status(self) -> str | None:
        """The final status."""
        return FINAL[self.final.kind] if self.final else None

    def answers(self) -> list[Spoken]:
        """The distinct answers to cancels: distinct in what they say or in their ids."""
        said = {(one.cancel_id, one.event_id, one.outcome, one.status): one for one in self.spoken if one.cancel_id}
        return list(said.values())

    @property
    def parked(self) -> bool:
        """Ended with an outcome nobody can know, for at least one recipient."""
        final = self.final
        return bool(final) and (final.reason == "outcome_unknown" or "unknown" in final.recipients.values())  # type: ignore[union-attr]


@dataclass(slots=True)
class Verdict:
    """What was found: the lists name message ids (cancel ids for `two_outcomes`), `why` says it in words."""

    messages: int = 0
    interrupted_and_transmitted: list[str] = field(default_factory=list)
    two_outcomes: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)

    def note(self, kind: str, who: str, why: str) -> None:
        """Write down one finding; the same who is listed once a kind."""
        found: list[str] = getattr(self, kind)
        if who not in found:
            found.append(who)
        self.why.append(f"{kind} {who}: {why}")

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: len(getattr(self, kind)) for kind in KINDS}

    @property
    def clean(self) -> bool:
        """Whether no promise was broken (a parked message breaks none)."""
        return not any(count for kind, count in self.counts().items() if kind != "parked")


def messages(history: History) -> list[Message]:
    """The history by message; a message nobody accepted but somebody spoke of counts too."""
    tenants = {one.message_id: one.tenant for one in history.accepted}
    accepted = {one.message_id: one for one in history.accepted}
    own = [wish for wish in history.wishes if not wish.foreign]
    wishes, spoken, taken = by_message(own), by_message(history.spoken), by_message(history.taken)
    replies: dict[str, list[Reply]] = defaultdict(list)
    of = {wish.wish: wish.message_id for wish in own}
    for reply in history.replies:
        if reply.wish in of:
            replies[of[reply.wish]].append(reply)
    made = []
    for one in dict.fromkeys([*accepted, *wishes, *taken]):
        tenant = tenants.get(one) or (wishes[one][0].tenant if wishes[one] else "")
        heard = tuple(said for said in spoken[one] if said.tenant == tenant or not tenant)
        made.append(
            Message(one, tenant, accepted.get(one), tuple(wishes[one]), tuple(replies[one]), heard, tuple(taken[one]))
        )
    return made
