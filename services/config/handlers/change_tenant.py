"""``TenantChangeRequested``: the platform makes or changes a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import Event
from contracts.tenant import TenantChangeRequested
from services.config.domain import tenant as rules
from services.config.domain.outcome import Refusal, Unchanged
from services.config.handlers.facts import tenant_event
from services.config.handlers.reject_request import RejectRequest
from services.config.ports import Clock, Publishes, Tenants
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5
NO_CHANNEL: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for the channel in the refusal of a wish that is about none."""


@dataclass(frozen=True)
class ChangeTenant:
    """Stores the tenant's plan and tells it."""

    tenants: Tenants
    reject: RejectRequest
    publisher: Publishes
    clock: Clock

    async def handle(self, event: Event[TenantChangeRequested]) -> None:
        """One wish, one answer."""
        if await self.reject.again(event):
            return
        for _ in range(ATTEMPTS):
            if await self._attempt(event):
                return
        raise Unavailable("the tenant is contended")

    async def _attempt(self, event: Event[TenantChangeRequested]) -> bool:
        data, now = event.data, self.clock.now()
        before = await self.tenants.read(event.tenant)
        wished = rules.Tenant(data.name, data.email_enabled, data.max_channels, 0, data.request_id)
        decided = rules.decide(before, wished)
        if isinstance(decided, Refusal):
            await self.reject.handle(event, NO_CHANNEL, decided)
            return True
        if isinstance(decided, Unchanged):
            assert before is not None
            await self.publisher.publish(tenant_event(event.tenant, before, event.time, event.trace))
            return True
        return await self.tenants.write(event.tenant, decided, tenant_event(event.tenant, decided, now, event.trace))
