"""A mail that is larger than a slice brings along is read in parts, to its last octet.

```
head -> FETCH <offset.length> … --a short one: the end--> small: here | above 1 MiB: gone to the blob store as it came
             '-- more than is taken in: too_large      '-- not given: tried again, not_fetchable
```
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from contracts.limits import INBOUND_SIZE
from services.ingest.domain.session import HEAD_OCTETS, Fetched
from services.ingest.domain.slices import Mail, held_mail, read_mail, unread_mail
from services.ingest.ports import Clock, MailSession, RawStore

TRIES: Final = 3
PAUSE_S: Final = 0.5
HERE_OCTETS: Final = 1 << 20
"""A mail with more is never held by this process."""


class _TooLarge(Exception):
    """The mail has more octets than are taken in, whatever size the server claimed."""


class _NotGiven(Exception):
    """The server lists the mail and does not give it."""


@dataclass(frozen=True, slots=True)
class ReadParts:
    """Reads one mail."""

    raw: RawStore
    clock: Clock

    async def handle(self, session: MailSession, tenant: str, it: Fetched) -> Mail | None:
        """The mail with all its octets, here or held; None where it is gone by now."""
        if it.size > INBOUND_SIZE:
            return unread_mail(it.uid, it.size, it.internaldate, "too_large", it.head or b"")
        for _ in range(TRIES):
            try:
                return await self._read(session, tenant, it)
            except _TooLarge:
                return unread_mail(it.uid, it.size, it.internaldate, "too_large", it.head or b"")
            except _NotGiven:
                pass
            await self.clock.sleep(PAUSE_S)
            again = await session.fetch([it.uid])
            if not again:
                return None
            it = again[0]
        return unread_mail(it.uid, it.size, it.internaldate, "not_fetchable")

    async def _read(self, session: MailSession, tenant: str, it: Fetched) -> Mail:
        """To the last octet, whatever size the server claims. Raises _TooLarge, _NotGiven."""
        parts, here = _parts(session, it), bytearray()
        async for part in parts:
            here += part
            if len(here) > HERE_OCTETS:
                held = await self.raw.hold(tenant, _chained(bytes(here), parts))
                return held_mail(it.uid, it.internaldate, held)
        return read_mail(it.uid, it.internaldate, bytes(here))


async def _parts(session: MailSession, it: Fetched) -> AsyncIterator[bytes]:
    """The mail in the parts it is fetched in."""
    if it.head is None:
        raise _NotGiven
    yield it.head
    size, full = len(it.head), not it.whole
    while full:
        part = await session.fetch_rest(it.uid, size, HEAD_OCTETS)
        if part is None:
            raise _NotGiven
        size, full = size + len(part), len(part) >= HEAD_OCTETS
        if size > INBOUND_SIZE:
            raise _TooLarge
        yield part


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part
