"""The fourteen rules of the outbound protocol, each taken out once: the model run must notice every one.

``python -m tests.model.mutations`` prints which promise broke, and at which seed. Nothing is edited: functions of the
rules, the handlers' imports and the store in memory are replaced while a mutation runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.outbox.domain import answers, attempt, conclude, recover, resolve
from services.outbox.domain import cancel as cancelling
from services.outbox.domain.answers import answer
from services.outbox.domain.conclude import tries_somebody
from services.outbox.domain.document import Cancel, Message, RecipientState, Status
from services.outbox.domain.facts import Answered, Decision, Outcome
from services.outbox.handlers import accept_message, cancel_message
from services.outbox.ports import Change, Gone, Won
from tests.fakes import outbox_filters
from tests.fakes.outbox_store import FakeMessages
from tests.model.run import play
from tests.model.world import World

MOST_SEEDS = 3000


@dataclass(frozen=True, slots=True)
class Patch:
    """Replace this attribute."""

    owner: Any
    name: str
    by: Any


def _key_without_tenant(tenant: str, message_id: str) -> str:
    return message_id


def _answer_by_state(message: Message, wish: Cancel) -> Answered:
    found = answer(message, wish)
    return replace(found, outcome=Outcome.ALREADY_INTERRUPTED) if found.outcome is Outcome.INTERRUPTED else found


def _cancel_without_hold(message: Message, wish: Cancel, now: datetime) -> Decision | Answered | None:
    if message.status is Status.COMMITTED and message.transmission:
        return Answered(wish, Outcome.TOO_LATE, message.status)
    return cancelling.cancel(message, wish, now)


def _everybody_in_transmission(message: Message) -> tuple[str, ...]:
    return tuple(each.address for each in message.recipients)


def _fence_by_reading(self: FakeMessages, before: Message, by: str) -> Won | Gone:
    standing = self.documents.get(outbox_filters.key(before.tenant, before.message_id))
    mine = standing and standing.transmission and standing.transmission.by == by
    return Won(standing) if standing and mine else Gone()


def _taken_up_while_transmitted(message: Message) -> bool:
    return message.status in (Status.QUEUED, Status.COMMITTED) and tries_somebody(message.recipients)


def _time_stands_still(_: World) -> float:
    return 0.0


def _back_to_open(_: object) -> RecipientState:
    return RecipientState.OPEN


def _nobody_stopped(recipients: conclude.Recipients) -> conclude.Recipients:
    return recipients


_matches = outbox_filters.matches


def _settle_without_version(change: Change, standing: Message | None, now: datetime) -> bool:
    before = change.before
    if standing and before.transmission and not change.lapsed and standing.transmission == before.transmission:
        return standing.attempt == before.attempt
    return _matches(change, standing, now)


def _every_transmission_is_the_only_one(message: Message) -> bool:
    return True


_answer = answers.answer


def _answer_by_what_it_became(message: Message, wish: Cancel) -> Answered:
    return _answer(replace(message, resolved_at=None), wish)


def _nothing_is_too_old(now: datetime, *ids: str) -> bool:
    return False


_end = conclude._end


def _queued_never_fails(message: Message, now: datetime, why: Any) -> Decision:
    return Decision(message) if message.status is Status.QUEUED else _end(message, now, why)


MUTATIONS: dict[str, tuple[Patch, ...]] = {
    "tenant in the key": (Patch(outbox_filters, "key", _key_without_tenant),),
    "answer by cancel id": (Patch(cancelling, "answer", _answer_by_state),),
    "hold": (Patch(cancel_message, "cancel", _cancel_without_hold),),
    "transmission.to": (Patch(recover, "in_transmission", _everybody_in_transmission),),
    "fencing write": (Patch(FakeMessages, "_fence", _fence_by_reading),),
    "transmission: null in the commit": (Patch(attempt, "can_be_taken_up", _taken_up_while_transmitted),),
    "until and the socket's deadline": (Patch(World, "monotonic", _time_stands_still),),
    "recovery never returns to queued": (Patch(recover, "in_doubt", _back_to_open),),
    "open recipients stopped on a held cancel": (Patch(conclude, "stopped", _nobody_stopped),),
    "version in the settle": (Patch(outbox_filters, "matches", _settle_without_version),),
    "the age gate": (
        Patch(accept_message, "too_old", _nothing_is_too_old),
        Patch(cancel_message, "too_old", _nothing_is_too_old),
    ),
    "a Sent copy proves the only transmission": (
        Patch(resolve, "only_transmission", _every_transmission_is_the_only_one),
    ),
    "a resolved message answers as it ended": (Patch(cancelling, "answer", _answer_by_what_it_became),),
    "expiry and refusal before DATA reach failed": (Patch(conclude, "_end", _queued_never_fails),),
}


@contextmanager
def taken_out(patches: tuple[Patch, ...]) -> Iterator[None]:
    """Without this rule, for a while."""
    kept = [getattr(each.owner, each.name) for each in patches]
    for each in patches:
        setattr(each.owner, each.name, each.by)
    try:
        yield
    finally:
        for each, old in zip(patches, kept, strict=True):
            setattr(each.owner, each.name, old)


def caught(name: str, seeds: int = MOST_SEEDS, say: Callable[[str], object] = print) -> bool:
    """Whether some seed notices that this rule is missing."""
    with taken_out(MUTATIONS[name]):
        for seed in range(seeds):
            try:
                play(seed)
            except AssertionError as broken:
                say(f"{name}: seed {seed}: {broken}")
                return True
    say(f"{name}: NOT CAUGHT in {seeds} seeds")
    return False


def main() -> int:
    """The command."""
    found = {name: caught(name) for name in MUTATIONS}
    print(json.dumps({"mutations": len(found), "caught": sum(found.values())}))
    return 0 if all(found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
