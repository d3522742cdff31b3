"""ChannelChanged: the work list of our shards; a removed channel's mailbox is closed and forgotten (DESIGN §8)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.channel import ChannelChanged
from contracts.event import Event
from contracts.topics import Topic
from services.ingest.domain.account import Account, ChannelKey
from services.ingest.handlers.hold_mailboxes import HoldMailboxes
from services.ingest.ports import CursorStore


@dataclass(frozen=True, slots=True)
class NoteChannel:
    """Answers ChannelChanged, and the null that follows a removal. A replay does it again and changes nothing."""

    hold: HoldMailboxes
    cursors: CursorStore

    async def handle(self, changed: Event[ChannelChanged]) -> None:
        """Raises Unavailable."""
        channel, key, desk = changed.data, (changed.tenant, changed.data.channel_id), self.hold.desk
        if channel.removed:
            await self._remove(key)
            return
        known = desk.board.wanted.get(key)
        if known is None or known.version < channel.version:
            desk.board.wanted[key] = read_account(changed.tenant, channel)
            desk.board.resting.pop(key, None)
            desk.bell.set()

    async def forget(self, topic: Topic, tenant: str, subject: str) -> None:
        """The channel was removed long ago."""
        await self._remove((tenant, subject))

    async def _remove(self, key: ChannelKey) -> None:
        self.hold.desk.board.wanted.pop(key, None)
        await self.hold.end(key)
        await self.hold.report.removed(key)
        await self.cursors.drop(key)


def read_account(tenant: str, channel: ChannelChanged) -> Account:
    """The part of a channel that ingest needs."""
    imap, sealed = channel.settings.imap, channel.credentials.imap
    return Account(
        tenant, channel.channel_id, channel.version, channel.settings.address, imap.host, imap.port,
        imap.security.value, imap.user_name, imap.auth.value, sealed.jwe if sealed else None,
        sealed.sealed_version if sealed else 0, channel.reconnect_seq,
        channel.settings.import_days,
    )  # fmt: skip
