"""The images of signatures live on: long before one would end, its life is extended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.signature.ports import Clock, Images, Signatures

AT_A_TIME: Final = 200
KEEP_EVERY: Final = timedelta(days=7)
"""An image lives 35 days from each time it is kept, so one that was replaced outlives every message composed with it
(`malote.composed.v1` is kept for 7 days), and the service may stand still for weeks."""


@dataclass(frozen=True)
class KeepImages:
    """Reads across tenants and writes by full id; any number may sweep at once."""

    signatures: Signatures
    images: Images
    clock: Clock

    async def handle(self) -> None:
        """One batch of the signatures that are due."""
        now = self.clock.now()
        for due in await self.signatures.with_images_due(now, AT_A_TIME):
            await self.images.keep(due.tenant, due.blob_ids)
            await self.signatures.images_kept(due, now + KEEP_EVERY)
