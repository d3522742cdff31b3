"""Submission over SMTP: sessions per channel, pooled, each made by way of the guard."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from contracts.channel import ChannelChanged
from services.kit.clock import Clock
from services.outbox.adapters.smtp_connect import SmtpConnector
from services.outbox.adapters.smtp_session import SmtpSession
from services.outbox.domain.replies import NotOpen

IDLE_S: Final = 25.0
"""A pooled connection idle for longer is closed: servers may hang up after 30 s."""
_DOUBTFUL_S: Final = 5.0
"""One idle for longer proves itself with RSET before it is given out."""
_Key = tuple[str, str]


class SmtpSubmission:
    """The Submission of one process. Connections of a channel are its lane's to bound, not the pool's."""

    def __init__(self, connector: SmtpConnector, clock: Clock, *, command_s: float = 60.0) -> None:
        self._connector, self._clock, self._command_s = connector, clock, command_s
        self._idle: dict[_Key, list[SmtpSession]] = defaultdict(list)
        self._versions: dict[_Key, int] = {}

    async def session(self, channel: ChannelChanged, tenant: str, *, fresh: bool = False) -> SmtpSession | NotOpen:
        """See Submission."""
        key = (tenant, channel.channel_id)
        if channel.version > self._versions.get(key, 0):
            self._versions[key] = channel.version
            await self._close(self._idle.pop(key, []))
        if not fresh and (pooled := await self._pooled(key)):
            return pooled
        client = await self._connector.connect(channel, tenant)
        if isinstance(client, NotOpen):
            return client

        async def give_back(session: SmtpSession) -> None:
            await self._take_back(key, channel.version, session)

        return SmtpSession(client, self._clock, command_s=self._command_s, give_back=give_back)

    async def forget(self, tenant: str, channel_id: str) -> None:
        """See Submission."""
        key = (tenant, channel_id)
        self._versions.pop(key, None)
        await self._close(self._idle.pop(key, []))

    async def close_idle(self, older_than_s: float = IDLE_S) -> int:
        """Closes what nobody has used for so long; how many. Everything with 0."""
        limit, old = self._clock.monotonic() - older_than_s, []
        for key, sessions in list(self._idle.items()):
            old += [session for session in sessions if session.idle_since <= limit]
            self._idle[key] = [session for session in sessions if session.idle_since > limit]
            if not self._idle[key]:
                del self._idle[key]
        await self._close(old)
        return len(old)

    async def _pooled(self, key: _Key) -> SmtpSession | None:
        while sessions := self._idle.get(key):
            session, now = sessions.pop(), self._clock.monotonic()
            idle = now - session.idle_since
            if session.usable and idle < IDLE_S and (idle < _DOUBTFUL_S or await session.reset()):
                return session
            await session.close()
        return None

    async def _take_back(self, key: _Key, version: int, session: SmtpSession) -> None:
        if session.usable and self._versions.get(key) == version:
            self._idle[key].append(session)
        else:
            await session.close()

    async def _close(self, sessions: list[SmtpSession]) -> None:
        await asyncio.gather(*(session.close() for session in sessions))
