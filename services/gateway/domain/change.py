"""What somebody who follows a tenant is told: that something changed, never what it now says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Thing(StrEnum):
    """What can change; the id of all but ``request`` names a resource of the REST interface."""

    MESSAGE = "message"
    CONVERSATION = "conversation"
    QUARANTINED = "quarantined"
    CHANNEL = "channel"
    CHANNEL_STATUS = "channel_status"
    SIGNATURE = "signature"
    OPERATOR = "operator"
    TENANT = "tenant"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Change:
    """``version`` rises with every change of the thing (no ETag); ``position`` orders all changes.

    ``conversation_id`` only where the thing belongs to one; ``id`` of a status or signature is its channel's.
    """

    tenant: str
    kind: Thing
    id: str
    version: int
    position: str = ""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """Nothing happened up to this position."""

    position: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Something may have been missed: read everything again. What follows is from this position on."""

    position: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more will be told: ``token_expired``, ``too_slow`` or ``closing``."""

    reason: str


Signal = Change | Beat | Reset | Ended
