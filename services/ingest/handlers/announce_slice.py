"""A slice becomes events: stored and read side by side, noted, published, acknowledged; then the cursor moves.

```
read -> parsed | still ours? -> conversations -> noted (who is first decides) | raw stored meanwhile
     -> published, all, acknowledged, all -> cursor, once (compare-and-set)
```

A crash anywhere brings the same slice again, with the same identities.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from contracts.blob import BlobRef
from services.ingest.domain.account import Account
from services.ingest.domain.cursor import Cursor, advance, advance_import
from services.ingest.domain.ledger import Seen, is_told
from services.ingest.domain.parsed import Held, Parsed, Unparsable
from services.ingest.domain.slices import Mail, Slice, entry, threads, to_announce
from services.ingest.handlers.facts import Resolved, speak_reset
from services.ingest.handlers.resolve_mails import ResolveMails
from services.ingest.handlers.tell_slice import TellSlice, Told, raw_ref
from services.ingest.ports import CursorStore, Fenced, Ledger, Parser, Participants, RawStore, Stored
from services.kit import logs

log = logs.get_logger()
Known = Mapping[str, Seen]
MISTAKES = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What our own code raises over a mail it did not expect; what a driver raises is no fault of the mail."""
Read = Mapping[int, Parsed | Unparsable]
Found = Mapping[int, Resolved]


@dataclass(frozen=True, slots=True)
class AnnounceSlice:
    """Takes one slice of one mailbox from the server's hands into Kafka's."""

    raw: RawStore
    parser: Parser
    ledger: Ledger
    cursors: CursorStore
    resolve: ResolveMails
    participants: Participants
    tell: TellSlice

    async def handle(self, account: Account, cursor: Cursor, part: Slice) -> Cursor:
        """The cursor after it. Raises Fenced, or Unavailable: then the same again.

        A mail that makes this code itself fail is set aside, so that it holds nobody up.
        """
        try:
            matched = await self._announce(account, cursor, part.mails)
        except MISTAKES:
            log.exception("slice_failed", tenant_id=account.tenant, channel_id=account.channel_id)
            matched = sum([await self._alone(account, cursor, mail) for mail in part.mails])
        if part.imported:
            return await self._move(account, cursor, advance_import(cursor, part.through), 0)
        return await self._move(account, cursor, advance(cursor, part.through, matched), matched)

    async def _announce(self, account: Account, cursor: Cursor, mails: Sequence[Mail]) -> int:
        """Everything but the cursor; how many mails were known from before a renumbering."""
        if not mails:
            return 0
        wanted, matched = mails, 0
        if cursor.renumbered is not None:
            known = await self.ledger.seen(account.key, [mail.sha256 for mail in mails])
            wanted = [mail for mail in mails if mail.sha256 not in known or not is_told(known[mail.sha256], cursor)]
            matched = sum(mail.sha256 in known and known[mail.sha256].generation < cursor.generation for mail in mails)
        if wanted:
            await self._take(account, cursor, wanted)
        return matched

    async def _take(self, account: Account, cursor: Cursor, mails: Sequence[Mail]) -> None:
        raw = {mail.uid: raw_ref(account, mail) for mail in mails if mail.had}
        (read, resolved, winners), _ = await asyncio.gather(
            self._identified(account, cursor, mails), self._keep_raw(account, mails, raw)
        )
        taking_part = await self._taking_part(account, resolved.values())
        uids = frozenset(mail.uid for mail in mails)
        told = [
            Told(mail, as_, raw.get(mail.uid), resolved.get(mail.uid), _why_aside(mail, read.get(mail.uid)))
            for mail in mails
            if to_announce(mail, as_ := winners[mail.sha256], uids, cursor)
        ]
        await self.tell.handle(account, told, taking_part)

    async def _identified(self, account: Account, cursor: Cursor, mails: Sequence[Mail]) -> tuple[Read, Found, Known]:
        """What each says, its conversation, and who it is."""
        read, holds = await asyncio.gather(self._read(account, mails), self.cursors.holds(account.key, cursor.epoch))
        if not holds:
            raise Fenced
        pairs = [(mail, it) for mail in mails if isinstance(it := read.get(mail.uid), Parsed)]
        resolved = {it.mail.uid: it for it in await self.resolve.handle(account, pairs)}
        return read, resolved, await self._note(account, cursor, mails, resolved)

    async def _note(self, account: Account, cursor: Cursor, mails: Sequence[Mail], resolved: Found) -> Known:
        """Who each content is: the entry written first, for all time."""
        ours: dict[str, Seen] = {}
        for mail in mails:
            it = resolved.get(mail.uid)
            ours.setdefault(mail.sha256, entry(account.key, cursor, mail, it.conversation_id if it else None))
        said = threads((it.parsed.internet_message_id, it.conversation_id) for it in resolved.values())
        return {**ours, **await self.ledger.note(account.key, list(ours.values()), said)}

    async def _read(self, account: Account, mails: Sequence[Mail]) -> Read:
        some = [(mail.uid, mail.octets) for mail in mails if mail.octets is not None]
        found = await self.parser.parse_all([octets for _, octets in some])
        read = {uid: it for (uid, _), it in zip(some, found, strict=True)}
        for mail in mails:
            if mail.held is not None:
                read[mail.uid] = await self._read_held(account, mail.held)
        return read

    async def _read_held(self, account: Account, held: Held) -> Parsed | Unparsable:
        octets = self.raw.held(account.tenant, held)
        return await self.parser.parse_held(held.size, octets, partial(self.raw.hold, account.tenant))

    async def _keep_raw(self, account: Account, mails: Sequence[Mail], raw: Mapping[int, BlobRef]) -> None:
        things = [Stored(raw[mail.uid], mail.octets or b"", mail.held) for mail in mails if mail.had]
        await self.raw.keep(account.tenant, things)

    async def _taking_part(self, account: Account, resolved: Iterable[Resolved]) -> Mapping[str, frozenset[str]]:
        joined = {it.conversation_id for it in resolved if it.threaded_by != "root" and not it.own}
        return await self.participants.of(account.tenant, list(joined)) if joined else {}

    async def _alone(self, account: Account, cursor: Cursor, mail: Mail) -> int:
        """One mail of a slice that failed; set aside when it fails alone too."""
        try:
            return await self._announce(account, cursor, [mail])
        except MISTAKES:
            log.exception("mail_failed", tenant_id=account.tenant, channel_id=account.channel_id, uid=mail.uid)
        winners = await self._note(account, cursor, [mail], {})
        raw = raw_ref(account, mail) if mail.had else None
        await self.tell.handle(account, [Told(mail, winners[mail.sha256], raw, None, "failed")], {})
        return 0

    async def _move(self, account: Account, before: Cursor, after: Cursor, matched: int) -> Cursor:
        if before.renumbered is not None and after.renumbered is None:
            reset = speak_reset(account, before, matched, self.tell.clock.now())
            await self.tell.publisher.publish(reset)
        if not await self.cursors.move(account.key, before, after):
            raise Fenced
        return after


def _why_aside(mail: Mail, read: Parsed | Unparsable | None) -> str:
    """The reason a mail is set aside for, if it is."""
    return mail.trouble or (read.reason if isinstance(read, Unparsable) else "")
