"""Ask the owner of a setting to change it, and wait a moment for the answer.

The wish and its event are one write; the owner's new state (or its refusal) names the request and ends the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contracts.event import event
from contracts.payload import Payload
from services.gateway.domain.answers import Granted, Pending
from services.gateway.domain.change import Thing
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Now, Waits, Wish, Wishes
from services.kit import tracing

PATIENCE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class AskOwner:
    """One for all settings."""

    wishes: Wishes
    waits: Waits
    clock: Now
    patience_s: float = PATIENCE_S

    async def handle(
        self, who: Principal, request_id: str, payload: Payload, what: str, target: str | None = None
    ) -> Granted | Pending | Refused:
        """Granted, refused, or not answered within ``PATIENCE_S`` seconds. ``target``: another tenant it is for."""
        at, target = self.clock.now(), target or who.tenant
        wish = Wish(request_id, who.tenant, target, what, at)
        await self.wishes.ask(wish, event(target, payload, at=at, source="gateway", trace=tracing.current()))

        async def look() -> Wish | None:
            found = await self.wishes.get(who.tenant, request_id)
            return found if found and found.decided else None

        decided = await self.waits.until(waiting_for(target, request_id), look, self.patience_s)
        if decided is None or decided.granted is None:
            return (decided.refused if decided else None) or Pending(request_id, what)
        return Granted(request_id, decided.granted)

    async def read(self, who: Principal, request_id: str) -> Wish | Refused:
        """How a wish of this tenant stands."""
        return await self.wishes.get(who.tenant, request_id) or NOT_FOUND


def waiting_for(target: str, request_id: str) -> str:
    """Under which key an answer to this wish wakes who waits."""
    return f"{Thing.REQUEST}/{target}/{request_id}"
