"""What a channel's IMAP showed is written as its status and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from contracts.topics import CHANNEL_STATUS
from services.ingest.domain import status as rules
from services.ingest.domain.account import Account, ChannelKey
from services.ingest.domain.imap_status import Trouble, judge
from services.ingest.domain.status import ImapStatus
from services.ingest.handlers.facts import speak_status
from services.ingest.ports import Clock, Hands, StatusStore
from services.kit.publisher import Publishes
from services.kit.unavailable import Unavailable

TRIES = 5
Move = Callable[[ImapStatus, datetime], ImapStatus]


@dataclass(frozen=True, slots=True)
class ReportImap:
    """Writes the status of IMAP directions. ``working``: channels written as connected; ``cycles``: those with a
    completed cycle since the last ``flush``; ``progress``: when each last got on, by the monotonic clock."""

    statuses: StatusStore
    relay: Hands
    publisher: Publishes
    clock: Clock
    chance: Callable[[], float]
    working: set[ChannelKey] = field(default_factory=set)
    cycles: set[ChannelKey] = field(default_factory=set)
    progress: dict[ChannelKey, float] = field(default_factory=dict)

    async def handle(self, account: Account) -> float:
        """The mailbox is about to be watched. Seconds to wait first: a login that was refused is not tried again by a
        mere restart."""
        self.working.discard(account.key)
        known = await self.statuses.load(*account.key)
        if known is None:
            await self._move(account, lambda fresh, _: fresh)
        elif known.channel_version < account.version or known.state == "disabled":
            await self._move(account, lambda it, now: rules.settings_changed(it, account.version, now))
        elif known.state == "auth_failed" and known.next_retry_at is not None:
            return max(0.0, (known.next_retry_at - self.clock.now()).total_seconds())
        return 0.0

    async def worked(self, account: Account) -> None:
        """A cycle was completed: connected."""
        self.progress[account.key] = self.clock.monotonic()
        self.cycles.add(account.key)
        if account.key not in self.working:
            await self._move(account, rules.proven)
            self.working.add(account.key)

    async def failed(self, account: Account, trouble: Trouble, before: int = 0) -> float:
        """It could not be connected, or not be kept; the seconds to wait before the next try. ``before``: how often it
        went wrong just now although it had worked in between."""
        self.working.discard(account.key)
        self.progress[account.key] = self.clock.monotonic()
        chance, waits = self.chance(), [0.0]

        def move(status: ImapStatus, now: datetime) -> ImapStatus:
            verdict = judge(trouble, status.refusals)
            waits[0] = rules.pause_seconds(verdict, max(rules.in_a_row(status, verdict), before), chance)
            return rules.failed(status, verdict, now, waits[0])

        await self._move(account, move)
        return waits[0]

    async def dropped(self, account: Account, reason: str) -> None:
        """The connection is gone and the next one takes its time."""
        self.working.discard(account.key)
        await self._move(account, lambda it, now: rules.reconnecting(it, reason, now))

    async def disabled(self, account: Account) -> None:
        """The tenant's e-mail was switched off."""
        self.working.discard(account.key)
        known = await self.statuses.load(*account.key)
        if known is None or known.state != "disabled":
            await self._move(account, rules.disabled)

    async def removed(self, key: ChannelKey) -> None:
        """The channel is gone: its status goes too."""
        self.working.discard(key)
        self.cycles.discard(key)
        self.progress.pop(key, None)
        if await self.statuses.load(*key) is not None:
            await self.publisher.forget(CHANNEL_STATUS, key[0], f"{key[1]}/imap")
            await self.statuses.drop(*key)

    async def flush(self) -> None:
        """Write down which mailboxes completed a cycle lately."""
        keys = list(self.cycles)
        self.cycles.clear()
        await self.statuses.prove(keys, self.clock.now())

    async def _move(self, account: Account, move: Move) -> None:
        for _ in range(TRIES):
            before, now = await self.statuses.load(*account.key), self.clock.now()
            fresh = rules.connecting(*account.key, account.version, now)
            after = move(before, now) if before is not None else replace(move(fresh, now), version=1)
            if before is not None and after == replace(before, version=after.version):
                return
            owed = (speak_status(after, now),) if rules.is_told(before, after) else ()
            if await self.statuses.write(before, after, owed):
                self.relay.hand_over("/".join(account.key), owed)
                return
        raise Unavailable("the channel's status keeps changing")
