"""Fetching in slices: what lies above a UID, however wide the gaps, and the rest of large mails.

```
FETCH n+1:n+limit --some--> those
        '--none--> nothing new that anybody told of --> none
                   else UID SEARCH UID n+1:* --some--> FETCH of the lowest --> those
FETCH answered NO without a reason of the server's own --> one by one; what is still refused has no content
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.ingest.adapters.imap_answers import FetchedPart, read_fetch, read_search
from services.ingest.adapters.imap_asked import Answer
from services.ingest.adapters.imap_hearing import ORDINARY
from services.ingest.adapters.imap_lines import Garbled
from services.ingest.adapters.imap_protocol import WHOLE_S, Conversation
from services.ingest.domain.imap_status import Sign, Stage, Trouble
from services.ingest.domain.session import HEAD_OCTETS, SLICE_UIDS, Fetched, Listed

LAST_UID: Final = 4_294_967_295
SURE_S: Final = 600.0
"""For so long "nothing above" is believed where no push says otherwise: pushes are hints."""
_PER_MAIL: Final = 4 * 1024
_HEAD: Final = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{HEAD_OCTETS}>)"
_LISTED: Final = "(UID RFC822.SIZE INTERNALDATE)"
_PASSING: Final = frozenset({"UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "CONTACTADMIN", "OVERQUOTA"})


class Slices:
    """FETCH and SEARCH of one selected mailbox. Everything raises LostConnection."""

    def __init__(self, conversation: Conversation, command_s: float, uidnext: int) -> None:
        self._conversation, self._command_s = conversation, command_s
        self._empty_above: int | None = uidnext - 1
        self._sure_until = conversation.now() + SURE_S

    async def list_above(self, uid: int, limit: int) -> list[Listed]:
        """See MailSession. Fewer than ``limit`` only where there are no more, so it is searched first."""
        uids = (await self._search_above(uid, max(1, limit))) if uid < LAST_UID else []
        found: list[FetchedPart] = []
        for start in range(0, len(uids), SLICE_UIDS):
            some = uids[start : start + SLICE_UIDS]
            found += await self._fetch(named(some), frozenset(some), _LISTED, 0)
        return [Listed(part.uid, part.size or 0, part.internal_date) for part in found]

    async def fetch_above(self, uid: int, limit: int) -> list[Fetched]:
        """See MailSession."""
        if self._conversation.heard:
            self._empty_above, self._conversation.heard = None, False
        return _fetched(await self._above(uid, limit))

    async def fetch(self, uids: Sequence[int]) -> list[Fetched]:
        """See MailSession; ``uids`` ascending."""
        return _fetched(await self._fetch(named(uids), frozenset(uids), _HEAD, HEAD_OCTETS)) if uids else []

    async def fetch_rest(self, uid: int, offset: int, length: int) -> bytes | None:
        """See MailSession."""
        found = await self._fetch(str(uid), frozenset({uid}), f"(UID BODY.PEEK[]<{offset}.{length}>)", length)
        return found[0].octets if found else None

    async def _above(self, uid: int, limit: int) -> list[FetchedPart]:
        if uid >= LAST_UID:
            return []
        top = min(uid + max(1, limit), LAST_UID)
        found = await self._fetch(f"{uid + 1}:{top}", range(uid + 1, top + 1), _HEAD, HEAD_OCTETS)
        if found or self._surely_empty(uid):
            return found
        uids = await self._search_above(uid, max(1, limit))
        return await self._fetch(named(uids), frozenset(uids), _HEAD, HEAD_OCTETS) if uids else []

    def _surely_empty(self, uid: int) -> bool:
        told = self._empty_above is not None and uid >= self._empty_above
        return told and not self._conversation.heard and self._conversation.now() < self._sure_until

    async def _search_above(self, uid: int, limit: int) -> list[int]:
        """``n:*`` is answered with the last message even where it is older (RFC 9051 section 9, seq-range)."""
        answer = await self._ask("SEARCH", "UID", f"{uid + 1}:*", keep=b"SEARCH", octets=8 * ORDINARY)
        self._demand(answer)
        found = sorted({number for response in answer.kept for number in read_search(response) if number > uid})
        if not found:
            self._empty_above, self._sure_until = uid, self._conversation.now() + SURE_S
        return found[:limit]

    async def _fetch(self, uids: str, wanted: range | frozenset[int], items: str, literal: int) -> list[FetchedPart]:
        answer, found = await self._fetch_once(uids, wanted, items, literal)
        if not answer.ok:
            if answer.status.result != "NO" or answer.status.code in _PASSING:
                self._demand(answer)
            if len(wanted) > 1:
                return await self._one_by_one(wanted, items, literal, found)
            listed = found or (await self._fetch_once(uids, wanted, "(UID RFC822.SIZE)", 0))[1]
            return sorted(listed.values(), key=_uid)
        return sorted(found.values(), key=_uid)

    async def _one_by_one(
        self, wanted: range | frozenset[int], items: str, literal: int, found: dict[int, FetchedPart]
    ) -> list[FetchedPart]:
        """One mail of a slice can't be given, and the server does not say which."""
        low, high = min(wanted), max(wanted)
        answer, listed = await self._fetch_once(f"{low}:{high}", wanted, "(UID)", 0)
        self._demand(answer)
        for uid in sorted(set(listed) - {uid for uid, part in found.items() if part.octets is not None or not literal}):
            for part in await self._fetch(str(uid), frozenset({uid}), items, literal):
                found[uid] = part
        return sorted(found.values(), key=_uid)

    async def _fetch_once(
        self, uids: str, wanted: range | frozenset[int], items: str, literal: int
    ) -> tuple[Answer, dict[int, FetchedPart]]:
        octets = ORDINARY + len(wanted) * (literal + _PER_MAIL)
        answer = await self._ask("FETCH", uids, items, keep=b"FETCH", octets=octets, literal=literal)
        found: dict[int, FetchedPart] = {}
        try:
            for response in answer.kept:
                part = read_fetch(response)
                if part is not None and part.uid in wanted and (part.tells or items == "(UID)"):
                    found[part.uid] = part.over(found.get(part.uid))
        except Garbled as error:
            raise self._conversation.give_up(Trouble(Stage.WATCH, Sign.GARBLED), str(error)) from None
        return answer, found

    async def _ask(self, name: str, *arguments: str, keep: bytes, octets: int, literal: int = 0) -> Answer:
        return await self._conversation.ask(
            name, *arguments, prefix="UID", keep=(keep,), octets=octets, literal=literal,
            seconds=WHOLE_S, silence=self._command_s,
        )  # fmt: skip

    def _demand(self, answer: Answer) -> None:
        if not answer.ok:
            status = answer.status
            sign = Sign.NO if status.result == "NO" else Sign.BAD
            raise self._conversation.give_up(Trouble(Stage.WATCH, sign, status.code, status.text), "refused")


def named(uids: Sequence[int]) -> str:
    """Ascending UIDs as a sequence set: ``1:3,7``."""
    ranges: list[tuple[int, int]] = []
    for uid in uids:
        if ranges and uid == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], uid)
        else:
            ranges.append((uid, uid))
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in ranges)


def _uid(part: FetchedPart) -> int:
    return part.uid


def _fetched(parts: Sequence[FetchedPart]) -> list[Fetched]:
    return [Fetched(part.uid, part.size or 0, part.internal_date, part.octets) for part in parts]
