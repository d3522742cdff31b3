"""Follow a tenant's changes until the token ends, the reader is too slow, or the gateway closes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from services.gateway.domain.change import Ended, Signal
from services.gateway.domain.refusal import Code, Refused
from services.gateway.domain.who import Principal
from services.gateway.ports import Changes, Follower, Now

BEAT_S: Final = 15.0
FULL: Final = Refused(Code.RATE_LIMITED, "Too many pages are open here. Try again in a moment.", retry_after=5)


@dataclass(frozen=True, slots=True)
class FollowChanges:
    """``after``: the position of the last change the reader has seen, None for a new reader."""

    changes: Changes
    clock: Now
    beat_s: float = BEAT_S

    async def handle(self, who: Principal, after: str | None) -> AsyncIterator[Signal] | Refused:
        """What to tell, until it ends; the reader closes the iterator."""
        follower = self.changes.follow(who.tenant, after)
        return FULL if isinstance(follower, Ended) else self._signals(who, follower)

    async def _signals(self, who: Principal, follower: Follower) -> AsyncIterator[Signal]:
        try:
            while True:
                left = who.expires_at - self.clock.now().timestamp()
                if left <= 0:
                    yield Ended("token_expired")
                    return
                for signal in await follower.next(min(left, self.beat_s)):
                    yield signal
                    if isinstance(signal, Ended):
                        return
        finally:
            follower.close()
