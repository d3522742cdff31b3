"""Who asks: everything about a caller comes from the token, never from the path or the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCOPES: Final = (
    "messages:send", "messages:interrupt", "messages:interrupt:any", "messages:resolve",
    "conversations:read", "conversations:write", "channels:read", "channels:write",
    "signatures:write", "operators:write", "platform:tenants",
)  # fmt: skip
"""Everything a token may allow."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: ``sub`` is the person or program, ``operator`` whom they write as."""

    tenant: str
    sub: str
    operator: str | None
    scopes: frozenset[str]

    def may(self, *scopes: str) -> bool:
        """Whether the token holds one of these scopes."""
        return not self.scopes.isdisjoint(scopes)
