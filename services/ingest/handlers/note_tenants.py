"""TenantChanged: whether a tenant's e-mail is switched on; every replica looks at what any of them noted."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import Event
from contracts.tenant import TenantChanged
from services.ingest.handlers.hold_mailboxes import HoldMailboxes
from services.ingest.ports import Tenants


@dataclass(frozen=True, slots=True)
class NoteTenants:
    """Answers TenantChanged and looks, every few seconds, who is switched off."""

    tenants: Tenants
    hold: HoldMailboxes

    async def handle(self, changed: Event[TenantChanged]) -> None:
        """Raises Unavailable."""
        await self.tenants.put(changed)
        await self.look()

    async def look(self) -> None:
        """Tells the board. Raises Unavailable."""
        off = await self.tenants.switched_off()
        if off != self.hold.desk.board.off:
            self.hold.desk.board.off = off
            self.hold.desk.bell.set()
