"""Aiming a cancel at a commit nobody has seen yet: the centre moves after every outcome towards the even race."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from random import Random

SPREAD_S = 0.050
STEP_S = 0.002


def _start() -> dict[str, float]:
    return defaultdict(float, {"rest": -0.015, "kafka": -0.005})


@dataclass(slots=True)
class Aim:
    """Offsets from `due_at` in seconds, one centre per way (REST, Kafka)."""

    chance: Random
    centre: dict[str, float] = field(default_factory=_start)

    def offset(self, way: str) -> float:
        """Where to fire the next cancel: the centre ± 50 ms."""
        return self.centre[way] + self.chance.uniform(-SPREAD_S, SPREAD_S)

    def learn(self, way: str, cancel_won: bool) -> None:
        """A cancel that won was early, one that lost was late."""
        self.centre[way] += STEP_S if cancel_won else -STEP_S
