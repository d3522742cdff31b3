"""A deterministic scheduler for coroutines.

Every ``await step(...)`` is a point where another task may go on, where its replica may die, sleep, or lose the answer
to a write.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any


class Step:
    """One switch point."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label

    def __await__(self) -> Generator[str, None, None]:
        yield self.label


async def step(label: str) -> None:
    """Let the scheduler choose who goes on."""
    await Step(label)


@dataclass(slots=True, eq=False)
class Running:
    """A task and where it stands; ``replica``: whose memory it lives in (None: outside)."""

    name: str
    replica: int | None
    coroutine: Coroutine[Any, Any, None]
    at: str = "begin"


class Scheduler:
    """Runs one task for one step at a time, chosen by a seeded generator."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.tasks: list[Running] = []
        self.asleep: set[int] = set()
        self.trace: list[str] = []

    def start(self, name: str, replica: int | None, coroutine: Coroutine[Any, Any, None]) -> None:
        """Add a task; it runs when chosen."""
        self.tasks.append(Running(name, replica, coroutine))

    def turn(self) -> bool:
        """One step of one task that is awake; False: nobody is."""
        awake = [each for each in self.tasks if each.replica not in self.asleep] if self.asleep else self.tasks
        if not awake:
            return False
        self._advance(awake[int(self.chance.random() * len(awake))])
        return True

    def kill(self, replica: int) -> None:
        """Everything in this replica's memory is gone, at once."""
        dead = [each for each in self.tasks if each.replica == replica]
        self.tasks = [each for each in self.tasks if each.replica != replica]
        for each in dead:
            self.trace.append(f"killed {each.name} at {each.at}")
            each.coroutine.close()

    def stop(self) -> None:
        """Close what is left."""
        for each in self.tasks:
            each.coroutine.close()
        self.tasks.clear()

    def _advance(self, task: Running) -> None:
        try:
            task.at = task.coroutine.send(None)
        except StopIteration:
            self.tasks.remove(task)
            task.at = "end"
        self.trace.append(f"{task.name} -> {task.at}")
