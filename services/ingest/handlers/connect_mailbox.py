"""A connection to a mailbox is made in its turn; when one that worked was lost, the status waits a moment to say so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from services.ingest.domain.account import Account
from services.ingest.domain.session import NotOpen
from services.ingest.handlers.report_imap import ReportImap
from services.ingest.ports import Budgets, Mailboxes, MailSession

PATIENCE_S: Final = 2.0
"""A lost connection is told only when the next one takes longer than this."""


@dataclass(frozen=True, slots=True)
class ConnectMailbox:
    """Opens sessions under the login rate of each host."""

    mailboxes: Mailboxes
    budgets: Budgets
    report: ReportImap

    async def handle(self, account: Account, *, again: bool) -> MailSession | NotOpen:
        """A session, or why there is none. ``again``: one that worked was lost just now. Raises Unavailable."""
        if not again:
            return await self._open(account)
        opening = asyncio.ensure_future(self._open(account))
        try:
            done, _ = await asyncio.wait({opening}, timeout=PATIENCE_S)
            if not done:
                await self.report.dropped(account, "connection_lost")
            return await opening
        except BaseException:
            await _abandon(opening)
            raise

    async def _open(self, account: Account) -> MailSession | NotOpen:
        async with self.budgets.login(account.host):
            return await self.mailboxes.open(account)


async def _abandon(opening: asyncio.Future[MailSession | NotOpen]) -> None:
    """Nobody waits for it any more: what it opened is closed."""
    opening.cancel()
    await asyncio.wait({opening})
    if not opening.cancelled() and opening.exception() is None and not isinstance(made := opening.result(), NotOpen):
        await made.close()
