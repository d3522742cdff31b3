"""What a channel's SMTP showed is written as its status, told, and its lane paused or resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from contracts.event import AnyEvent, event
from services.kit import logs
from services.kit.unavailable import Unavailable
from services.outbox.domain import smtp_status
from services.outbox.domain.backoff import later
from services.outbox.domain.classify import Kind, Verdict
from services.outbox.domain.lane import LaneKey
from services.outbox.domain.replies import NotOpen
from services.outbox.domain.smtp_status import SmtpStatus
from services.outbox.handlers.facts import SOURCE
from services.outbox.handlers.record_decision import TRIES
from services.outbox.ports import DatabaseClock, Desk, Hands, Lanes, StatusStore

log = logs.get_logger()
Move = Callable[[SmtpStatus, datetime], SmtpStatus]
FRESH = timedelta(hours=1)
"""A success is written at most this often while nothing else changes."""


@dataclass(frozen=True, slots=True)
class ReportSmtp:
    """Writes the status of SMTP directions. ``proven``: when each channel was last written as connected."""

    statuses: StatusStore
    relay: Hands
    lanes: Lanes
    desk: Desk
    database_clock: DatabaseClock
    chance: Callable[[], float]
    proven: dict[LaneKey, datetime] = field(default_factory=dict)

    async def handle(self, key: LaneKey, channel_version: int, showed: NotOpen | Verdict | None) -> None:
        """``showed``: why no session could be had, or the answer in the middle of a submission that speaks of the
        channel; None: a submission or a login went through."""
        if isinstance(showed, NotOpen):
            await self._fail(key, channel_version, showed.reason)
        elif showed is not None:
            auth = showed.kind is Kind.CHANNEL_AUTH
            why = ConnectionReason.AUTHENTICATION_FAILED if auth else ConnectionReason.RATE_LIMITED
            await self._fail(key, channel_version, why.value)
        else:
            await self._worked(key, channel_version)

    async def changed(self, key: LaneKey, channel_version: int) -> None:
        """New settings: connecting, and no pause any more."""
        self.proven.pop(key, None)
        known = await self.statuses.load(*key)
        if known is None:
            await self._move(key, channel_version, lambda fresh, _: fresh)
        elif known.channel_version < channel_version:
            await self._move(key, channel_version, lambda it, now: _anew(it, channel_version, now))
        await self.lanes.resume(*key)
        self._on_board(key, None)

    async def _worked(self, key: LaneKey, channel_version: int) -> None:
        now = self.database_clock.now()
        if now - self.proven.get(key, now - FRESH) < FRESH:
            return
        before, _ = await self._move(key, channel_version, smtp_status.proven)
        self.proven[key] = now
        if before is None or before.failures:
            await self.lanes.resume(*key)
            self._on_board(key, None)

    async def _fail(self, key: LaneKey, channel_version: int, reason: str) -> None:
        """Several attempts may meet the same failure at once: the first one counts, until its pause is over."""
        self.proven.pop(key, None)
        chance = self.chance()

        def move(status: SmtpStatus, now: datetime) -> SmtpStatus:
            wait = smtp_status.pause_seconds(reason, status.failures, chance)
            return smtp_status.failed(status, reason, now, later(now, wait))

        after = await self.statuses.load(*key)
        if after is None or not smtp_status.is_paused(after, reason, self.database_clock.now()):
            _, after = await self._move(key, channel_version, move)
            log.warning("smtp_paused", tenant=key[0], channel_id=key[1], reason=reason, until=str(after.next_retry_at))
        if after.next_retry_at is not None:
            self._on_board(key, after.next_retry_at)
            await self.lanes.pause(*key, after.next_retry_at)

    async def _move(self, key: LaneKey, channel_version: int, move: Move) -> tuple[SmtpStatus | None, SmtpStatus]:
        for _ in range(TRIES):
            before, now = await self.statuses.load(*key), self.database_clock.now()
            fresh = smtp_status.connecting(*key, channel_version, now)
            after = move(before, now) if before is not None else replace(move(fresh, now), version=1)
            owed = (speak_status(after, now),) if smtp_status.is_told(before, after) else ()
            if await self.statuses.write(before, after, owed):
                self.relay.hand_over("/".join(key), owed)
                return before, after
        raise Unavailable("the channel's status keeps changing")

    def _on_board(self, key: LaneKey, until: datetime | None) -> None:
        self.desk.board.pause(key, until)
        self.desk.ring()


def _anew(status: SmtpStatus, channel_version: int, now: datetime) -> SmtpStatus:
    return smtp_status.settings_changed(status, channel_version, now)


def speak_status(status: SmtpStatus, now: datetime) -> AnyEvent:
    """The status as the published contract has it."""
    data = ChannelStatusChanged(
        version=status.version, channel_id=status.channel_id, direction=Direction.SMTP,
        state=ConnectionState(status.state), reason=ConnectionReason(status.reason), since=status.since,
        next_retry_at=status.next_retry_at,
    )  # fmt: skip
    return event(status.tenant, data, at=now, source=SOURCE)
