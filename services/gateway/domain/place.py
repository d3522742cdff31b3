"""Where a channel logs in: the facts a sealed secret is bound to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One direction of a channel; a secret sealed for one place opens for no other."""

    host: str
    port: int
    security: str
    user_name: str
    auth: str


def needs_secret(before: Place | None, after: Place, *, stored: bool) -> bool:
    """Whether the password must be typed again: it is a new place, or none is stored."""
    return not stored or before != after
