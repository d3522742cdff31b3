"""What lies above the cursor is fetched in slices, under the replica's byte budget, and handed on in order.

```
hold octets -> one FETCH (heads of 256 KiB) -> small ones together, each large one alone, read in parts -> handed on
                                                              above 1 MiB the parts go to the blob store as they come
               empty: nothing is left above
```

After a renumbering the mailbox is listed first: what came before the channel was watched, or is older than the ledger
remembers, is history and is passed over unread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.ingest.domain.reading import Reading, Track
from services.ingest.domain.session import HEAD_OCTETS, Fetched, Listed
from services.ingest.domain.slices import Mail, Slice, read_mail
from services.ingest.handlers.read_parts import ReadParts
from services.ingest.ports import Budgets, Clock, MailSession

IMPORT_UIDS: Final = 50
IMPORT_EVERY_S: Final = 1.0
"""So many mails a time are imported, and no faster, so that what comes in does not wait."""


class Share:
    """A part of the byte budget, given back when the last slice that holds it is done."""

    __slots__ = ("_budgets", "_holders", "_large", "_octets")

    def __init__(self, budgets: Budgets, octets: int, *, large: bool = False) -> None:
        self._budgets, self._octets, self._large, self._holders = budgets, octets, large, 1

    def borrow(self) -> Share:
        """One holder more."""
        self._holders += 1
        return self

    def give_back(self) -> None:
        """One holder less."""
        self._holders -= 1
        if self._holders == 0:
            self._budgets.release(self._octets, large=self._large)


Hand = Callable[[Slice, Callable[[], None]], Awaitable[None]]
"""Takes a slice in order; the second argument is to be called when its octets are no longer held."""


@dataclass(frozen=True, slots=True)
class FetchSlices:
    """Empties a mailbox above the point reached. ``memory``: how far back the ledger surely remembers."""

    budgets: Budgets
    clock: Clock
    memory: timedelta
    parts: ReadParts

    async def handle(self, session: MailSession, reading: Reading, hand: Hand) -> bool:
        """Whether anything was there; what may lie beyond a slice that is not full, the next look finds. Raises
        LostConnection, and what ``hand`` raises."""
        found, more = False, True
        while more:
            got, more = await self._one(session, reading, hand)
            found = found or got
        return found

    async def import_more(self, session: MailSession, reading: Reading, hand: Hand) -> None:
        """A few of the mails that were there before the mailbox was watched. Raises as ``handle`` does."""
        past, now = reading.past, self.clock.monotonic()
        if past is None or now < reading.past_at:
            return
        reading.past_at = now + IMPORT_EVERY_S
        share = Share(self.budgets, await self.budgets.hold(IMPORT_UIDS * reading.average))
        try:
            found = await session.list_above(past.uid, IMPORT_UIDS)
            listed = [each for each in found if each.uid <= reading.past_through]
            through = listed[-1].uid if len(listed) == IMPORT_UIDS else reading.past_through
            wanted = [each.uid for each in listed if not _is_history(each, reading.since)]
            await self._hand_on(session, past, await session.fetch(wanted) if wanted else (), through, share, hand)
            reading.past = past if through < reading.past_through else None
        finally:
            share.give_back()

    async def _one(self, session: MailSession, reading: Reading, hand: Hand) -> tuple[bool, bool]:
        """Whether a slice was there, and whether there is surely more to ask for at once."""
        limit, octets = reading.expectation()
        share = Share(self.budgets, await self.budgets.hold(octets))
        try:
            more = True
            if reading.through is not None:
                fetched, through = await self._relisted(session, reading, limit)
            else:
                fetched = await session.fetch_above(reading.live.uid, limit)
                if not fetched:
                    return False, False
                through, more = fetched[-1].uid, len(fetched) >= limit
            reading.note([len(each.head or b"") for each in fetched])
            await self._hand_on(session, reading.live, fetched, through, share, hand)
        finally:
            share.give_back()
        return True, more

    async def _relisted(
        self, session: MailSession, reading: Reading, limit: int
    ) -> tuple[Sequence[Fetched], int]:  # fmt: skip
        """The next mails of a renumbered mailbox that are no history, and how far that goes."""
        goal = reading.through or 0
        listed = await session.list_above(reading.live.uid, limit) if reading.live.uid < goal else ()
        through = listed[-1].uid if len(listed) == limit else max(goal, listed[-1].uid if listed else 0)
        horizon = self._horizon(reading.since)
        wanted = [each.uid for each in listed if not _is_history(each, horizon)]
        if through >= goal:
            reading.through = None
        return (await session.fetch(wanted) if wanted else ()), through

    def _horizon(self, since: datetime | None) -> datetime | None:
        remembered = self.clock.now() - self.memory
        return max(since.replace(microsecond=0), remembered) if since is not None else remembered

    async def _hand_on(
        self, session: MailSession, track: Track, fetched: Sequence[Fetched], through: int, share: Share, hand: Hand
    ) -> None:
        small: list[Mail] = []
        for each in fetched:
            if each.whole and each.head is not None:
                small.append(read_mail(each.uid, each.internaldate, each.head))
                continue
            if small:
                await _hand(track, small, small[-1].uid, share, hand)
                small = []
            await self._large(session, track, each, hand)
        if small or through > track.uid or not fetched:
            await _hand(track, small, through, share, hand)

    async def _large(self, session: MailSession, track: Track, it: Fetched, hand: Hand) -> None:
        """A mail that is read in parts, or could not be read at all."""
        share = Share(self.budgets, await self.budgets.hold(max(it.size, HEAD_OCTETS), large=True), large=True)
        try:
            mail = await self.parts.handle(session, track.tenant, it)
            await _hand(track, [] if mail is None else [mail], it.uid, share, hand)
        finally:
            share.give_back()


async def _hand(track: Track, mails: Sequence[Mail], through: int, share: Share, hand: Hand) -> None:
    await hand(Slice(tuple(mails), through, track.imported), share.borrow().give_back)
    track.uid = through


def _is_history(it: Listed, horizon: datetime | None) -> bool:
    return horizon is not None and it.internaldate is not None and it.internaldate < horizon
