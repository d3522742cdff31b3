"""Who won each race, and how close it was.

A pair is one message and the first cancel of its own tenant that was fired at it. The loser of a race leaves no stamp,
so its moment is taken from the middle of those who did: a commit comes `commit_lag` after `due_at`, a cancel reaches
the document `cancel_lag` after it was fired (learned per way, REST or Kafka).
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.verdict import Message

CLOSE_S = 0.050


@dataclass(frozen=True, slots=True)
class Pair:
    """One race: seconds between the cancel's moment and the commit's (negative: the cancel came first)."""

    message_id: str
    cancel_won: bool
    apart_s: float


@dataclass(frozen=True, slots=True)
class Tally:
    """The outcome of all races, and of the close ones."""

    pairs: int
    close_pairs: int
    cancel_won: int
    commit_won: int
    close_cancel_won: int
    close_commit_won: int


def first_stamp(message: Message, kind: str) -> float | None:
    """When the first event of a kind happened."""
    return min((one.at for one in message.spoken if one.kind == kind), default=None)


def due_at(message: Message) -> float | None:
    """When the message was due, as it was queued."""
    return next((one.due_at for one in message.spoken if one.due_at is not None), None)


def pairs(messages: Iterable[Message], shapes: frozenset[str] = frozenset({"race"})) -> list[Pair]:
    """The races among the messages whose first wish has one of the shapes."""
    raced = [one for one in messages if one.wishes and one.wishes[0].shape in shapes and one.status and due_at(one)]
    commit_lag = _middle(_commit_lags(raced))
    cancel_lags: dict[str, list[float]] = defaultdict(list)
    for message in raced:
        if (stamp := first_stamp(message, "MessageInterrupted")) is not None:
            cancel_lags[message.wishes[0].via].append(stamp - message.wishes[0].fired_at)
    lag = {via: _middle(lags) for via, lags in cancel_lags.items()}
    return [_pair(message, commit_lag, lag.get(message.wishes[0].via, 0.0)) for message in raced]


def _commit_lags(messages: Iterable[Message]) -> list[float]:
    stamped = ((first_stamp(one, "MessageCommitted"), due_at(one)) for one in messages)
    return [committed - due for committed, due in stamped if committed is not None and due is not None]


def _middle(values: list[float]) -> float:
    return statistics.median(values) if values else 0.0


def _pair(message: Message, commit_lag: float, cancel_lag: float) -> Pair:
    interrupted, committed = first_stamp(message, "MessageInterrupted"), first_stamp(message, "MessageCommitted")
    cancel = interrupted if interrupted is not None else message.wishes[0].fired_at + cancel_lag
    commit = committed if committed is not None else (due_at(message) or 0.0) + commit_lag
    return Pair(message.message_id, message.status == "interrupted", cancel - commit)


def tally(found: Iterable[Pair]) -> Tally:
    """Count the outcomes."""
    every = list(found)
    close = [one for one in every if abs(one.apart_s) <= CLOSE_S]
    won, close_won = sum(one.cancel_won for one in every), sum(one.cancel_won for one in close)
    return Tally(len(every), len(close), won, len(every) - won, close_won, len(close) - close_won)
