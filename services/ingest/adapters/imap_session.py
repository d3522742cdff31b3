"""A MailSession over one conversation: INBOX selected, slices, listening, the Sent copy.

```
commands --listen: IDLE, "+"--> listening --wait: DONE, tagged OK--> commands --glance: NOOP, OK--> commands
    '-----listen: NOOP, OK (no IDLE, or it was answered NO or BAD)--> polling --wait: NOOP each few seconds--> commands
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.ingest.adapters.imap_listening import Listening
from services.ingest.adapters.imap_protocol import Conversation
from services.ingest.adapters.imap_sent import SentMail
from services.ingest.adapters.imap_slices import Slices
from services.ingest.adapters.imap_timing import Timing
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import SLICE_UIDS, Fetched, Listed, LostConnection, Opened, Quiet, Streamed, Woken

_GOODBYE_S: Final = 2.0


class ImapSession:
    """See MailSession."""

    def __init__(self, conversation: Conversation, opened: Opened, timing: Timing) -> None:
        self._conversation, self._opened, self._timing = conversation, opened, timing
        self._listening = Listening(conversation, timing, idle=opened.idle)
        self._sent = SentMail(conversation, timing.command_s)
        self._slices = Slices(conversation, timing.command_s, opened.uidnext)
        conversation.stage = Stage.WATCH
        conversation.heard = False

    @property
    def opened(self) -> Opened:
        """See MailSession."""
        return self._opened

    async def list_above(self, uid: int, limit: int) -> Sequence[Listed]:
        """See MailSession."""
        return await self._slices.list_above(uid, limit)

    async def fetch_above(self, uid: int, limit: int) -> Sequence[Fetched]:
        """See MailSession."""
        return await self._slices.fetch_above(uid, min(limit, SLICE_UIDS))

    async def fetch(self, uids: Sequence[int]) -> Sequence[Fetched]:
        """See MailSession."""
        return await self._slices.fetch(sorted(set(uids))[:SLICE_UIDS])

    async def fetch_rest(self, uid: int, offset: int, length: int) -> bytes | None:
        """See MailSession."""
        return await self._slices.fetch_rest(uid, offset, length)

    async def listen(self) -> None:
        """See MailSession."""
        await self._listening.begin()

    async def wait(self, seconds: float) -> Woken | Quiet:
        """See MailSession."""
        return await self._listening.wait(seconds)

    async def glance(self, seconds: float) -> Woken | Quiet:
        """See MailSession."""
        return await self._listening.glance(seconds)

    async def find_in_sent(self, internet_message_id: str) -> bool | None:
        """See MailSession."""
        name = await self._sent.name()
        if name is None:
            return None
        found = await self._sent.holds(name, internet_message_id)
        await self._return_to_inbox()
        return found

    async def append_to_sent(self, octets: Streamed, at: datetime) -> bool:
        """See MailSession."""
        name = await self._sent.name()
        return name is not None and await self._sent.append(name, octets, at)

    async def close(self) -> None:
        """See MailSession."""
        await part(self._conversation, say_goodbye=not self._listening.listens)

    async def _return_to_inbox(self) -> None:
        """Another UIDVALIDITY than before means that everything has to be looked at again: by a new session."""
        selected = await self._conversation.ask("SELECT", "INBOX", seconds=self._timing.command_s)
        told = selected.codes.get("UIDVALIDITY", b"").decode("ascii", "replace")
        if not selected.ok or told != str(self._opened.uidvalidity):
            raise self._conversation.give_up(Trouble(Stage.WATCH, Sign.LOST), "INBOX is another one")
        self._conversation.heard = True


async def part(conversation: Conversation, *, say_goodbye: bool = True) -> None:
    """LOGOUT where it can still be said, then close; within 2 s, never raises."""
    try:
        async with asyncio.timeout(_GOODBYE_S):
            if say_goodbye and not conversation.lost and not conversation.busy:
                await conversation.ask("LOGOUT", seconds=_GOODBYE_S)
            conversation.wire.close()
            await conversation.hung_up()
    except (LostConnection, TimeoutError):
        pass
    finally:
        conversation.wire.abort()
