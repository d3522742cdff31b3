"""Sent messages are filed in their accounts' Sent mailboxes: searched by Message-ID, appended where they are missing.
Parked ones are only searched, and told to the outbox where they are there (docs/decisions/0019).

Over a connection of its own for each channel, at least once, best effort: a provider without such a mailbox, or one
that refuses for long, goes without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.event import event
from contracts.message import SentCopyFound
from services.ingest.domain.account import Account, ChannelKey
from services.ingest.domain.sent_copy import SentCopy, again
from services.ingest.domain.session import LostConnection, NotOpen
from services.ingest.handlers.facts import SOURCE
from services.ingest.handlers.hold_mailboxes import HoldMailboxes
from services.ingest.ports import Budgets, Clock, CopyStore, Mailboxes, MailSession, Publishes
from services.kit import logs

log = logs.get_logger()
LIMIT: Final = 500
AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class FileCopies:
    """Files what is due, for the channels this replica watches."""

    copies: CopyStore
    mailboxes: Mailboxes
    budgets: Budgets
    hold: HoldMailboxes
    clock: Clock
    publisher: Publishes

    async def handle(self) -> None:
        """A few channels at once: one that is slow holds up no other. Raises Unavailable."""
        watched = self.hold.desk.board.watched
        by_channel: dict[ChannelKey, list[SentCopy]] = {}
        for copy in await self.copies.due(list(watched), self.clock.now(), LIMIT):
            by_channel.setdefault(copy.key, []).append(copy)
        turn = asyncio.Semaphore(AT_ONCE)
        some = [(account, copies) for key, copies in by_channel.items() if (account := watched.get(key)) is not None]
        ended = await asyncio.gather(*(self._channel(*each, turn) for each in some), return_exceptions=True)
        for failed in filter(None, ended):
            raise failed

    async def _channel(self, account: Account, copies: Sequence[SentCopy], turn: asyncio.Semaphore) -> None:
        async with turn:
            async with self.budgets.login(account.host):
                session = await self.mailboxes.open(account)
            if isinstance(session, NotOpen):
                for copy in copies:
                    await self._later(copy)
                return
            try:
                for copy in copies:
                    await self._file(session, copy)
            finally:
                await session.close()

    async def _file(self, session: MailSession, copy: SentCopy) -> None:
        try:
            there = await session.find_in_sent(copy.internet_message_id)
            settled = await (self._found(copy, there) if copy.sought else self._filed(session, copy, there))
        except LostConnection:
            settled = False
        await (self.copies.done(copy) if settled else self._later(copy))

    async def _filed(self, session: MailSession, copy: SentCopy, there: bool | None) -> bool:
        if there is None:
            log.info("no_sent_mailbox", channel_id=copy.channel_id)
        return there is not False or await self._append(session, copy)

    async def _found(self, copy: SentCopy, there: bool | None) -> bool:
        if not there:
            return False
        now = self.clock.now()
        found = SentCopyFound(message_id=copy.message_id, channel_id=copy.channel_id, found_at=now)
        await self.publisher.publish(event(copy.tenant, found, at=now, source=SOURCE))
        log.info("sent_copy_found", channel_id=copy.channel_id, message_id=copy.message_id)
        return True

    async def _append(self, session: MailSession, copy: SentCopy) -> bool:
        octets = await self.copies.octets(copy)
        if octets is None:
            log.warning("sent_copy_without_octets", message_id=copy.message_id)
            return True
        return await session.append_to_sent(octets, copy.sent_at)

    async def _later(self, copy: SentCopy) -> None:
        if (later := again(copy, self.clock.now())) is not None:
            await self.copies.put(later)
            return
        log.warning("sent_copy_given_up", sought=copy.sought, channel_id=copy.channel_id, message_id=copy.message_id)
        await self.copies.done(copy)
