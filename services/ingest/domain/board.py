"""Which mailboxes this replica should watch, which it does watch, and so what to start and to end. Pure, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.ingest.domain.account import Account, ChannelKey, reconnects


@dataclass(frozen=True, slots=True)
class Plan:
    """``end`` comes before ``begin``: a channel in both is connected anew."""

    begin: tuple[Account, ...]
    end: tuple[ChannelKey, ...]
    off: tuple[Account, ...]


@dataclass(slots=True)
class Board:
    """``wanted``: every channel of our shards, as last heard; ``watched``: those with a watch, as it was begun;
    ``resting``: not before this time (a watch that ended by itself); ``off``: tenants whose e-mail is switched off;
    ``told_off``: channels whose status says so."""

    wanted: dict[ChannelKey, Account] = field(default_factory=dict)
    watched: dict[ChannelKey, Account] = field(default_factory=dict)
    resting: dict[ChannelKey, float] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    told_off: set[ChannelKey] = field(default_factory=set)

    def plan(self, mine: Callable[[ChannelKey], bool], now: float) -> Plan:
        """What is to be done for the board to come true; ``mine`` says whether a channel's shard is ours."""
        ours = {key: account for key, account in self.wanted.items() if mine(key)}
        on = {key: account for key, account in ours.items() if account.tenant not in self.off}
        end = [key for key, had in self.watched.items() if key not in on or reconnects(had, on[key])]
        over = set(end)
        begin = [
            account
            for key, account in on.items()
            if (key not in self.watched or key in over) and self.resting.get(key, now) <= now
        ]
        off = [account for key, account in ours.items() if key not in on and key not in self.told_off]
        self.told_off &= ours.keys() - on.keys()
        return Plan(tuple(begin), tuple(end), tuple(off))

    def forget_others(self, mine: Callable[[ChannelKey], bool]) -> None:
        """After an assignment: what is no longer ours is told us again when it comes back."""
        for key in [key for key in self.wanted if not mine(key)]:
            del self.wanted[key]
