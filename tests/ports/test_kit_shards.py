"""Partitions as shards, on a real broker: replayed on each assignment, shared out, with a pulse that stops."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from contracts.event import Event, event
from contracts.tenant import TenantChanged
from contracts.topics import TENANTS
from deploy.local.infra import Addresses
from services.kit.consume import On, broker, subscribe
from services.kit.publisher import Publisher
from services.kit.settings import KitSettings
from services.kit.shards import Shards
from tests.infra import topics


@dataclass
class Replica:
    """One consumer of the tenants' topic: what it was assigned and what it heard, by assignment."""

    servers: Addresses
    publisher: Publisher
    group: str
    instance: str
    given: list[Shards] = field(default_factory=list)
    heard: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Replica:
        """Starts."""
        settings = KitSettings(kafka=self.servers.kafka, instance=self.instance, session_timeout_s=6)
        self.broker = broker(settings, "test")
        on = On(self.group, (TENANTS,), {TenantChanged: self._hear}, assigned=self._assigned)
        subscribe(self.broker, settings, "test", on, self.publisher)
        await self.broker.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        """Stops."""
        await self.broker.stop()

    async def _hear(self, changed: Event[TenantChanged]) -> None:
        self.heard[len(self.given)].append(changed.tenant)

    async def _assigned(self, shards: Shards) -> None:
        self.given.append(shards)


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Waits until it holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def test_each_assignment_is_replayed_and_nobody_goes_without(servers: Addresses) -> None:
    await topics.make(servers.kafka, [TENANTS])
    publisher, group = Publisher(servers.kafka, "shards"), uuid4().hex
    await publisher.start()
    tenants = {str(uuid4()) for _ in range(40)}
    for tenant in tenants:
        data = TenantChanged(request_id=str(uuid4()), name="Acme", email_enabled=True, max_channels=1)
        await publisher.publish(event(tenant, data, at=datetime.now(UTC), source="config"))
    async with Replica(servers, publisher, group, "a") as first:
        await until(lambda: tenants <= set(first.heard[1]))
        assert first.given[0].mine == frozenset(range(first.given[0].count))
        async with Replica(servers, publisher, group, "b") as second:
            await until(lambda: bool(second.given) and len(first.given) > 1)
            if first.given[0].count > 1:
                assert second.given[-1].mine
            assert first.given[-1].mine | second.given[-1].mine == first.given[0].mine
            assert not first.given[-1].mine & second.given[-1].mine
            await until(lambda: tenants <= {*first.heard[len(first.given)], *second.heard[len(second.given)]})
            for replica in (first, second):
                shards = replica.given[-1]
                mine = {tenant for tenant in tenants if shards.has(tenant, "tenant")}
                await until(lambda m=mine, r=replica: m == tenants & set(r.heard[len(r.given)]))  # type: ignore[misc]
    async with Replica(servers, publisher, group, "a") as again:
        await until(lambda: tenants <= set(again.heard[len(again.given)]))
    await publisher.stop()


async def test_the_pulse_beats_and_stops_with_the_consumer(servers: Addresses) -> None:
    await topics.make(servers.kafka, [TENANTS])
    publisher = Publisher(servers.kafka, "pulse")
    await publisher.start()
    async with Replica(servers, publisher, uuid4().hex, "a") as replica:
        await until(lambda: bool(replica.given))
        await asyncio.sleep(7)
        assert replica.given[-1].pulse.age < 4
    before = replica.given[-1].pulse.age
    await asyncio.sleep(1)
    assert replica.given[-1].pulse.age > before + 0.9
    await publisher.stop()
