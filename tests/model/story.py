"""What one seed plays: policy, recipients, window, cancels, how often each event is delivered, which faults, and
whether the provider files what it takes in the Sent mailbox."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

START = datetime(2026, 1, 1, tzinfo=UTC)
TENANT = "00000000-0000-7000-8000-0000000000aa"
STRANGER = "00000000-0000-7000-8000-0000000000bb"
DATA_LIMIT, MARGIN = 5.0, 2.0


def minted(moment: datetime, number: int) -> str:
    """A UUIDv7 of that moment."""
    milliseconds = round(moment.timestamp() * 1000)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number))


@dataclass(frozen=True, slots=True)
class Wish:
    """A cancel: whose, its id, how often it is delivered."""

    tenant: str
    cancel_id: str
    deliveries: int


@dataclass(slots=True)
class Budget:
    """How many faults of each kind are left."""

    temporary: int = 0
    refusals: int = 0
    drops: int = 0
    silences: int = 0
    crashes: int = 0
    sleeps: int = 0
    unanswered: int = 0
    publish: int = 0
    strays: int = 2


@dataclass(frozen=True, slots=True)
class Story:
    """One seed, unfolded."""

    seed: int
    message_id: str
    recipients: tuple[str, ...]
    resend: bool
    undo_seconds: int
    life_seconds: int
    deliveries: int
    wishes: tuple[Wish, ...]
    budget: Budget
    files: bool = False


def story(seed: int) -> Story:
    """The story of a seed."""
    chance = random.Random(seed)
    message_id = minted(START - timedelta(seconds=1), 1)
    doubt = chance.random() < 0.15
    return Story(
        seed, message_id, ("a@example.net", "b@example.net")[: chance.choice((1, 2, 2))], chance.random() < 0.4,
        chance.choice((0, 0, 10)), chance.choice((86_400, 86_400, 86_400, 120, 8)), chance.choice((1, 1, 2)),
        _wishes(chance, seldom=doubt), _doubt() if doubt else _budget(chance), doubt or chance.random() < 0.7,
    )  # fmt: skip


def _wishes(chance: random.Random, *, seldom: bool) -> tuple[Wish, ...]:
    many = chance.choice((0, 0, 0, 1) if seldom else (0, 1, 1, 1, 2, 2))
    own = [Wish(TENANT, minted(START, 10 + n), chance.choice((1, 1, 2, 3))) for n in range(many)]
    foreign = [Wish(STRANGER, minted(START, 20), 1)] if chance.random() < 0.15 else []
    return (*own, *foreign)


def _doubt() -> Budget:
    """Answers to the final dot are lost; half of what they were for was taken."""
    return Budget(temporary=2, silences=2)


def _budget(chance: random.Random) -> Budget:
    kind = chance.choice(("smtp", "smtp", "crash", "pause", "write", "write", "all", "calm"))
    many = {
        "calm": Budget(),
        "smtp": Budget(temporary=3, refusals=2, drops=1),
        "crash": Budget(temporary=1, drops=1, crashes=2, sleeps=1),
        "pause": Budget(temporary=1, crashes=1, sleeps=3),
        "write": Budget(temporary=2, drops=1, sleeps=1, unanswered=4, publish=1),
        "all": Budget(2, 1, 1, 1, 2, 2, 3, 2),
    }
    return many[kind]
