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
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Renumbered:
    """The server changed UIDVALIDITY: what was before, up to which new UID it is gone through again, ``matched`` so
    far."""

    generation: int
    uidvalidity: int
    last_uid: int
    through: int
    matched: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """``uidvalidity`` None: no SELECT yet. ``since``: when the channel was first watched, by our clock; ``generation``
    counts the numberings there have been (a UIDVALIDITY need not grow)."""

    epoch: int
    uidvalidity: int | None = None
    last_uid: int = 0
    since: datetime | None = None
    generation: int = 0
    renumbered: Renumbered | None = None


def begin(cursor: Cursor, uidvalidity: int, uidnext: int, now: datetime) -> Cursor:
    """The first SELECT: only what comes from now on is announced."""
    return replace(cursor, uidvalidity=uidvalidity, last_uid=max(0, uidnext - 1), since=now)


def renumber(cursor: Cursor, uidvalidity: int, uidnext: int) -> Cursor:
    """Another UIDVALIDITY: from the start of the new numbering. In the middle of an earlier one, the oldest is kept: it
    is the one that says what was surely announced."""
    old = cursor.renumbered or Renumbered(cursor.generation, cursor.uidvalidity or 0, cursor.last_uid, 0)
    return replace(
        cursor, uidvalidity=uidvalidity, last_uid=0, generation=cursor.generation + 1,
        renumbered=replace(old, through=max(0, uidnext - 1)),
    )  # fmt: skip


def advance(cursor: Cursor, last_uid: int, matched: int = 0) -> Cursor:
    """A slice was announced up to this UID; ``matched`` of its mails were known from before the renumbering."""
    over = cursor.renumbered
    if over is not None:
        over = None if last_uid >= over.through else replace(over, matched=over.matched + matched)
    return replace(cursor, last_uid=max(cursor.last_uid, last_uid), renumbered=over)


def selected(cursor: Cursor, uidvalidity: int, uidnext: int, now: datetime) -> Cursor:
    """What SELECT says is held against the cursor. UIDs that begin anew under the same UIDVALIDITY, which no server may
    do, are another numbering too."""
    if cursor.uidvalidity is None:
        return begin(cursor, uidvalidity, uidnext, now)
    if cursor.uidvalidity != uidvalidity or uidnext <= cursor.last_uid:
        return renumber(cursor, uidvalidity, uidnext)
    return cursor
