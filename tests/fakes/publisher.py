"""A publisher that remembers, and fails when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.event import AnyEvent
from contracts.topics import Topic
from services.kit.unavailable import Unanswered, Unavailable


@dataclass
class FakePublisher:
    """``published`` in order of acknowledgement; ``failures`` fail first; ``applied``: a failed one arrived."""

    published: list[AnyEvent] = field(default_factory=list)
    forgotten: list[tuple[str, str, str]] = field(default_factory=list)
    failures: int = 0
    applied: bool = False

    async def publish(self, event: AnyEvent) -> None:
        """See kit.publisher.Publishes."""
        await asyncio.sleep(0)
        if self.failures > 0:
            self.failures -= 1
            if self.applied:
                self.published.append(event)
            raise Unanswered("told to fail")
        self.published.append(event)

    async def publish_all(self, events: Sequence[AnyEvent]) -> None:
        """One after the other."""
        for event in events:
            await self.publish(event)

    async def publish_each(self, events: Sequence[AnyEvent]) -> Sequence[Unavailable | None]:
        """One after the other, each with its own outcome."""
        return [await self._outcome(event) for event in events]

    async def _outcome(self, event: AnyEvent) -> Unavailable | None:
        try:
            await self.publish(event)
        except Unavailable as error:
            return error
        return None

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """See kit.publisher.Publishes."""
        await asyncio.sleep(0)
        self.forgotten.append((topic.name, tenant, subject))

    def types(self) -> list[str]:
        """The event types, in order."""
        return [event.type for event in self.published]
