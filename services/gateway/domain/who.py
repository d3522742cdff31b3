"""Who asks: everything about a caller comes from the token, never from the path or the body."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

SCOPES: Final = (
    "messages:send", "messages:interrupt", "messages:interrupt:any", "messages:resolve",
    "conversations:read", "conversations:write", "channels:read", "channels:write",
    "signatures:write", "operators:write", "platform:tenants",
)  # fmt: skip
"""Everything a token may allow."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: ``sub`` is the person or program, ``operator`` whom they write as.

    ``expires_at``: until when the token holds, in seconds since 1970.
    """

    tenant: str
    sub: str
    operator: str | None
    scopes: frozenset[str]
    expires_at: float = field(default=math.inf, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """By which this caller is known as an author."""
        return (self.sub, self.operator) if self.operator else (self.sub,)

    def may(self, *scopes: str) -> bool:
        """Whether the token holds one of these scopes."""
        return not self.scopes.isdisjoint(scopes)
