"""What SELECT said is held against the cursor: the first time, the same numbering, another one, or none."""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.domain import cursor as rules
from services.ingest.domain.account import Account
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import LostConnection, Opened
from services.ingest.ports import Clock, CursorStore, Fenced


@dataclass(frozen=True, slots=True)
class SelectMailbox:
    """Decides where reading begins."""

    cursors: CursorStore
    clock: Clock

    async def handle(self, account: Account, cursor: Cursor, opened: Opened) -> Cursor:
        """The cursor to read from. Raises LostConnection where the server gave no UIDVALIDITY (it is asked again on the
        next connection), Fenced where the mailbox is somebody else's by now."""
        if not opened.uidvalidity:
            raise LostConnection(Trouble(Stage.SELECT, Sign.GARBLED), "no UIDVALIDITY")
        after = rules.selected(cursor, opened.uidvalidity, opened.uidnext, self.clock.now(), account.import_days)
        if after != cursor and not await self.cursors.move(account.key, cursor, after):
            raise Fenced
        return after
