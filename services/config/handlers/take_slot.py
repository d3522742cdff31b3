"""A channel takes one of its tenant's slots before it is created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.config.domain import tenant as rules
from services.config.domain.outcome import Refusal, Unchanged
from services.config.ports import SlotStore
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class TakeSlot:
    """Counts without a race: one document per tenant, changed by compare-and-set."""

    slots: SlotStore

    async def handle(self, tenant: str, channel_id: str, state: rules.Tenant) -> Refusal | None:
        """None when the channel has its slot; raises Unavailable when others were faster five times."""
        for _ in range(ATTEMPTS):
            decided = rules.take(await self.slots.read(tenant), channel_id, state)
            if isinstance(decided, Refusal):
                return decided
            if isinstance(decided, Unchanged) or await self.slots.write(tenant, decided):
                return None
        raise Unavailable("the tenant's slots are contended")
