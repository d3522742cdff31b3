"""What the eye shows of one message: whom it goes to, when, how far it got, and whether the reader may stop it."""

from __future__ import annotations

from typing import Any

from services.gateway.console import cards
from services.gateway.console.beside import names
from services.gateway.console.reading import Reading
from services.gateway.console.states import line_of
from services.gateway.domain.refusal import Refused


async def eyed(reading: Reading, message: Any, late: Refused | None = None, held: bool = False) -> dict[str, Any]:
    """For the dialog; ``late``: the interrupt came too late, ``held``: its answer is still to come."""
    known = await names(reading)
    channel = await reading.ask("GET /v1/channels/{channel_id}", message.channel_id)
    smtp = None if isinstance(channel, Refused) else channel.status.smtp
    line = line_of(message, reading.words, reading.moments, known, smtp)
    return {
        "message": message, "line": line, "names": known, "late": late, "held": held,
        "allowed": may_stop(reading, message), "people": cards.people(message.to),
        "address": "" if isinstance(channel, Refused) else channel.address,
    }  # fmt: skip


def may_stop(reading: Reading, message: Any) -> bool:
    """Whether the reader may interrupt it: the author, or a supervisor."""
    who = reading.who
    wrote = message.requested_by == who.sub or (who.operator is not None and message.operator_id == who.operator)
    return who.may("messages:interrupt:any") or (wrote and who.may("messages:interrupt"))
