"""TenantChanged: the outbox keeps its copy; while a tenant's e-mail is switched off, nothing of it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import Event
from contracts.tenant import TenantChanged
from services.outbox.ports import Tenants

SUBJECT = "tenant"


@dataclass(frozen=True, slots=True)
class NoteTenant:
    """Answers TenantChanged; asked before each take-up."""

    tenants: Tenants

    async def handle(self, changed: Event[TenantChanged]) -> None:
        """Raises Unavailable."""
        await self.tenants.put(changed)

    async def may_send(self, tenant: str) -> bool:
        """Whether this tenant's messages go out; one we never heard of is none of our business."""
        known = await self.tenants.get(tenant, SUBJECT)
        return known is None or known.email_enabled
