"""What stands beside every page: the channels, the desk, what waits, and people's names."""

from __future__ import annotations

from typing import Any

from services.gateway.console import cards
from services.gateway.console.reading import Reading
from services.gateway.domain.refusal import Refused


async def nav(reading: Reading) -> dict[str, Any]:
    """What every page shows beside itself: the channels, the desk, and how much waits."""
    channels = await reading.ask("GET /v1/channels", query={"limit": "200"})
    tenant = await reading.ask("GET /v1/tenants/{tenant_id}", reading.who.tenant)
    return {
        "channels": [] if isinstance(channels, Refused) else channels.items,
        "tenant": "" if isinstance(tenant, Refused) else tenant.name,
        "waiting": await waiting(reading),
    }


async def waiting(reading: Reading) -> dict[str, int]:
    """How much waits, by view; 100 for more."""
    found = await reading.ask("GET /v1/waiting")
    if isinstance(found, Refused):
        return {"unread": 0, "clock": 0, "attention": 0}
    return {"unread": found.unread, "clock": found.clock, "attention": found.attention + found.unreadable}


async def names(reading: Reading) -> dict[str, str]:
    """The operators' names by id, and the reader's own by subject."""
    found = await reading.ask("GET /v1/operators", query={"limit": "200"})
    known = {} if isinstance(found, Refused) else cards.named(found.items)
    own = known.get(reading.who.operator or "") or (reading.session.name if reading.session else "")
    return known | {reading.who.sub: own or reading.who.sub}
