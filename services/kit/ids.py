"""New identifiers: every id Malote mints is a UUIDv7, which sorts by the time it was made (RFC 9562 section 5.7)."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7

__all__ = ["uuid7"]


def uuid7() -> UUID:
    """A new time-ordered id of the standard library's UUID type."""
    return _uuid7()
