"""Aiming a cancel at a commit nobody has seen yet: the centre moves after every outcome towards the even race."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random

SPREAD_S = 0.050
STEP_S = 0.003
FIRST_STEP_S = 0.030


def _start() -> dict[str, float]:
    return defaultdict(float, {"rest": -0.015, "kafka": -0.005})


@dataclass(slots=True)
class Aim:
    """Offsets from `due_at` in seconds, one centre per way (REST, Kafka)."""

    chance: Random
    centre: dict[str, float] = field(default_factory=_start)
    _learned: Counter[str] = field(default_factory=Counter)

    def offset(self, way: str) -> float:
        """Where to fire the next cancel: the centre ± 50 ms."""
        return self.centre[way] + self.chance.uniform(-SPREAD_S, SPREAD_S)

    def learn(self, way: str, cancel_won: bool) -> None:
        """A cancel that won was early, one that lost was late; the first outcomes move the centre further."""
        self._learned[way] += 1
        step = max(STEP_S, FIRST_STEP_S / (1 + self._learned[way] / 8))
        self.centre[way] += step if cancel_won else -step
