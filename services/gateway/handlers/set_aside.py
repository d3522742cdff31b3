"""Keep a mail that could not be read where people see it: with its channel."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.event import Event
from contracts.inbound import MessageQuarantined
from services.gateway.domain.inbound import Quarantined
from services.gateway.domain.page import Cut, Page
from services.gateway.domain.refusal import NOT_FOUND, Refused
from services.gateway.domain.who import Principal
from services.gateway.handlers.facts import stored_if_any
from services.gateway.ports import Arrivals, Channels


@dataclass(frozen=True, slots=True)
class SetAside:
    """Idempotent by message id."""

    arrivals: Arrivals
    channels: Channels

    async def handle(self, event: Event[MessageQuarantined]) -> None:
        """One mail that could not be read."""
        said = event.data
        await self.arrivals.set_aside(
            Quarantined(
                event.tenant, said.message_id, said.channel_id, said.reason, said.size, said.received_at,
                stored_if_any(said.raw),
            )
        )  # fmt: skip

    async def list(self, who: Principal, channel_id: str, cut: Cut) -> Page[Quarantined] | Refused:
        """A channel's that nobody has hidden, the newest first."""
        channel = await self.channels.get(who.tenant, channel_id)
        if channel is None or channel.removed:
            return NOT_FOUND
        return await self.arrivals.aside(who.tenant, channel_id, cut)

    async def list_all(self, who: Principal, cut: Cut) -> Page[Quarantined]:
        """Those of all channels that nobody has hidden, the newest first."""
        return await self.arrivals.aside(who.tenant, None, cut)

    async def hide(self, who: Principal, message_id: str) -> Quarantined | Refused:
        """Somebody has seen to it; the mail itself stays where it is."""
        return await self.arrivals.hide_aside(who.tenant, message_id) or NOT_FOUND
