"""The ledger of what was seen: content (hash) → identity and conversation, and Message-ID → conversation.

An entry is written *before* its event, and only where none stands: whoever is first decides the identity and the
conversation of a mail, for every owner, crash and renumbering that may follow. So a mail has one identity for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.ingest.domain.cursor import Cursor, Importing


@dataclass(frozen=True, slots=True)
class Seen:
    """One content that was taken: where it was first, as what it is announced, and in which conversation."""

    sha256: str
    message_id: str
    conversation_id: str
    generation: int
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Thread:
    """A Message-ID (with angle brackets, as the mail has it) and the conversation it belongs to."""

    internet_message_id: str
    conversation_id: str


def is_told(seen: Seen, cursor: Cursor) -> bool:
    """Whether the event of this entry was surely acknowledged: the cursor has passed its place. Where this is not
    sure it is announced again, under the same identity."""
    if seen.generation == cursor.generation:
        return seen.uid <= cursor.last_uid and not _is_due(cursor.importing, seen.uid)
    before = cursor.renumbered
    if before is None or seen.generation < before.generation:
        return seen.generation < cursor.generation
    told = seen.generation == before.generation and seen.uid <= before.last_uid
    return told and not _is_due(before.importing, seen.uid)


def _is_due(importing: Importing | None, uid: int) -> bool:
    return importing is not None and importing.is_due(uid)
