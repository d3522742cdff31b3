"""One lane as the replica that holds it sees it: what waits, what is under way, what holds it back.

First attempts go in order of (due_at, message_id), one of a conversation at a time; a retry waits for nobody and holds
nobody up.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from services.outbox.domain.document import Message
from services.outbox.domain.rate import Bucket

LaneKey = tuple[str, str]
"""(tenant, channel_id)."""
AT_HAND = 16 * 1024
"""Messages with a raw form up to this size are kept in memory until they are due; others are read again."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One message that waits for an attempt, as a lane lists it.

    ``first``: its first attempt; ``message``: the document where it is at hand (it may be old: the commit finds out).
    """

    tenant: str
    channel_id: str
    message_id: str
    conversation_id: str
    due_at: datetime
    first: bool
    message: Message | None = field(default=None, compare=False, repr=False)

    @property
    def lane(self) -> LaneKey:
        """The lane it belongs to."""
        return self.tenant, self.channel_id


def ticket_of(message: Message, *, first: bool, due_at: datetime | None = None) -> Ticket:
    """The ticket of a message that waits; small ones stay at hand."""
    small = message.raw is not None and message.raw.octets is not None and len(message.raw.octets) <= AT_HAND
    due = due_at or message.due_at
    if due is None:
        raise ValueError("a message that waits is due at some time")
    return Ticket(
        message.tenant, message.channel_id, message.message_id, message.conversation_id, due, first,
        message if small else None,
    )  # fmt: skip


class Blocked:
    """Nothing can be taken until something ends."""


BLOCKED = Blocked()


@dataclass(slots=True)
class LaneWork:
    """The work of one lane. ``connections``: the most attempts at once; ``host``: whose connections they are; ``more``:
    the database has more than is listed here; ``timer``: when the board looks here again by itself."""

    key: LaneKey
    connections: int = 4
    host: str = ""
    bucket: Bucket = field(default_factory=Bucket)
    paused_until: datetime | None = None
    under_way: int = 0
    idle_since: datetime | None = None
    leaving: bool = False
    more: bool = False
    timer: datetime | None = None
    waiting: list[tuple[datetime, str, Ticket]] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    busy: dict[str, deque[Ticket]] = field(default_factory=dict)

    def add(self, ticket: Ticket) -> bool:
        """List it, unless it is listed or under way already."""
        if ticket.message_id in self.known:
            return False
        self.known.add(ticket.message_id)
        heapq.heappush(self.waiting, (ticket.due_at, ticket.message_id, ticket))
        return True

    def take(self, now: datetime) -> Ticket | datetime | Blocked:
        """The next ticket, or when to look again, or Blocked until ``freed`` or ``done``."""
        if self.leaving or self.under_way >= self.connections:
            return BLOCKED
        self._step_over_busy(now)
        if not self.waiting:
            return BLOCKED
        opens = max(self.waiting[0][0], self.paused_until or now, self.bucket.ready_at(now))
        if opens > now:
            return opens
        return self._start(heapq.heappop(self.waiting)[2], now)

    def done(self, ticket: Ticket) -> None:
        """The attempt is over and written: the conversation may go on, the message may be listed again."""
        self.known.discard(ticket.message_id)
        if not ticket.first:
            return
        for each in self.busy.pop(ticket.conversation_id, ()):
            heapq.heappush(self.waiting, (each.due_at, each.message_id, each))

    def leave(self) -> None:
        """Begin nothing any more and forget what waits; what is under way is still known."""
        self.leaving = True
        queued = {ticket.message_id for _, _, ticket in self.waiting}
        queued |= {ticket.message_id for line in self.busy.values() for ticket in line}
        self.known -= queued
        self.waiting.clear()
        for line in self.busy.values():
            line.clear()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do and nothing under way."""
        return not self.known and not self.under_way

    def _step_over_busy(self, now: datetime) -> None:
        while self.waiting and self.waiting[0][0] <= now:
            ticket = self.waiting[0][2]
            if not ticket.first or ticket.conversation_id not in self.busy:
                return
            heapq.heappop(self.waiting)
            self.busy[ticket.conversation_id].append(ticket)

    def _start(self, ticket: Ticket, now: datetime) -> Ticket:
        self.bucket.take(now)
        self.under_way += 1
        if ticket.first:
            self.busy.setdefault(ticket.conversation_id, deque())
        return ticket
