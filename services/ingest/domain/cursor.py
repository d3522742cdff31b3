"""The cursor: how far a mailbox has been announced, and who may move it (DESIGN §5).

```
(none) --claim--> unset, epoch 1 --first SELECT--> (uidvalidity, UIDNEXT-1) --slice acknowledged--> (uidvalidity, uid)
any --claim by another owner--> epoch + 1                 |
      UIDVALIDITY changed --> (new uidvalidity, 0) with ``renumbered`` --slices up to its end--> MailboxReset, cleared
```

It moves by compare-and-set on the whole of (epoch, uidvalidity, last_uid) alone, after Kafka's acknowledgement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Importing:
    """What was in the mailbox before it was watched is being imported: done up to ``last_uid``, of ``through``."""

    last_uid: int
    through: int

    def is_due(self, uid: int) -> bool:
        """Whether this mail is still to be imported."""
        return self.last_uid < uid <= self.through


@dataclass(frozen=True, slots=True)
class Renumbered:
    """The server changed UIDVALIDITY: what was before, up to which new UID it is gone through again, ``matched`` so
    far."""

    generation: int
    uidvalidity: int
    last_uid: int
    through: int
    matched: int = 0
    importing: Importing | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """``uidvalidity`` None: no SELECT yet. ``generation`` counts the numberings (a UIDVALIDITY need not grow).

    ``since``: what is older is history and never announced: when the channel was first watched, by our clock, less the
    days that were to be imported.
    """

    epoch: int
    uidvalidity: int | None = None
    last_uid: int = 0
    since: datetime | None = None
    generation: int = 0
    renumbered: Renumbered | None = None
    importing: Importing | None = None


def begin(cursor: Cursor, uidvalidity: int, uidnext: int, since: datetime, *, imports: bool = False) -> Cursor:
    """The first SELECT: what comes from now on is announced, and with ``imports`` little by little what is there."""
    last = max(0, uidnext - 1)
    importing = Importing(0, last) if imports and last else None
    return replace(cursor, uidvalidity=uidvalidity, last_uid=last, since=since, importing=importing)


def renumber(cursor: Cursor, uidvalidity: int, uidnext: int) -> Cursor:
    """Another UIDVALIDITY: from the start of the new numbering. In the middle of an earlier one, the oldest is kept: it
    is the one that says what was surely announced."""
    old = cursor.renumbered or Renumbered(
        cursor.generation, cursor.uidvalidity or 0, cursor.last_uid, 0, importing=cursor.importing
    )  # fmt: skip
    return replace(
        cursor, uidvalidity=uidvalidity, last_uid=0, generation=cursor.generation + 1,
        renumbered=replace(old, through=max(0, uidnext - 1)), importing=None,
    )  # fmt: skip


def advance(cursor: Cursor, last_uid: int, matched: int = 0) -> Cursor:
    """A slice was announced up to this UID; ``matched`` of its mails were known from before the renumbering."""
    over = cursor.renumbered
    if over is not None:
        over = None if last_uid >= over.through else replace(over, matched=over.matched + matched)
    return replace(cursor, last_uid=max(cursor.last_uid, last_uid), renumbered=over)


def advance_import(cursor: Cursor, last_uid: int) -> Cursor:
    """So far is what was there before imported."""
    over = cursor.importing
    if over is None or last_uid >= over.through:
        return replace(cursor, importing=None)
    return replace(cursor, importing=replace(over, last_uid=last_uid))


def selected(cursor: Cursor, uidvalidity: int, uidnext: int, now: datetime, import_days: int = 0) -> Cursor:
    """What SELECT says is held against the cursor. UIDs that begin anew under the same UIDVALIDITY, which no server may
    do, are another numbering too."""
    if cursor.uidvalidity is None:
        since = now - timedelta(days=import_days)
        return begin(cursor, uidvalidity, uidnext, since, imports=import_days > 0)
    if cursor.uidvalidity != uidvalidity or uidnext <= cursor.last_uid:
        return renumber(cursor, uidvalidity, uidnext)
    return cursor
