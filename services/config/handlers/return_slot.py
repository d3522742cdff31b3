"""A channel gives its tenant's slot back after it was removed, or was not created after all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.config.domain import tenant as rules
from services.config.domain.outcome import Unchanged
from services.config.ports import SlotStore
from services.kit.unavailable import Unavailable

ATTEMPTS: Final = 5


@dataclass(frozen=True)
class ReturnSlot:
    """The other half of TakeSlot."""

    slots: SlotStore

    async def handle(self, tenant: str, channel_id: str) -> None:
        """Repeatable; raises Unavailable when others were faster five times."""
        for _ in range(ATTEMPTS):
            decided = rules.give_back(await self.slots.read(tenant), channel_id)
            if isinstance(decided, Unchanged) or await self.slots.write(tenant, decided):
                return
        raise Unavailable("the tenant's slots are contended")
