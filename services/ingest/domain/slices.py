"""A slice on its way from the mailbox to the topic: what was read, and what is to be said of each mail. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.ingest.domain.account import ChannelKey
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.identity import conversation_id, mail_id
from services.ingest.domain.ledger import Seen, Thread, is_told
from services.ingest.domain.parsed import Held


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was read: its ``octets`` are here, or ``held``. Neither: its content was not to be had, and
    ``trouble`` says why (``too_large``, ``not_fetchable``)."""

    uid: int
    size: int
    sha256: str
    internaldate: datetime | None = None
    octets: bytes | None = field(default=None, repr=False)
    trouble: str | None = None
    held: Held | None = None

    @property
    def had(self) -> bool:
        """Whether its content was to be had."""
        return self.octets is not None or self.held is not None


@dataclass(frozen=True, slots=True)
class Slice:
    """Mails in ascending order, and the UID up to which the mailbox has been gone through with them; ``imported``: they
    were there before it was watched."""

    mails: tuple[Mail, ...]
    through: int
    imported: bool = False


def read_mail(uid: int, internaldate: datetime | None, octets: bytes) -> Mail:
    """A mail whose content is here, whole."""
    return Mail(uid, len(octets), hashlib.sha256(octets).hexdigest(), internaldate, octets)


def held_mail(uid: int, internaldate: datetime | None, held: Held) -> Mail:
    """A mail whose content is in the blob store."""
    return Mail(uid, held.size, held.sha256, internaldate, held=held)


def unread_mail(uid: int, size: int, internaldate: datetime | None, trouble: str, head: bytes = b"") -> Mail:
    """A mail whose content is not here; it is known again by what there is of it."""
    mark = hashlib.sha256(f"{trouble}/{size}/{internaldate}/".encode())
    mark.update(head)
    return Mail(uid, size, mark.hexdigest(), internaldate, None, trouble)


def to_announce(mail: Mail, winner: Seen, uids: frozenset[int], cursor: Cursor) -> bool:
    """Whether this mail's event is to be published now, under the winner's identity.

    Not where the winner was surely told already (a copy, a mail known from before a renumbering), nor where it stands
    earlier in this slice and will be.
    """
    here = winner.generation == cursor.generation
    if here and winner.uid == mail.uid:
        return True
    if is_told(winner, cursor):
        return False
    return not (here and winner.uid < mail.uid and winner.uid in uids)


def entry(key: ChannelKey, cursor: Cursor, mail: Mail, conversation: str | None) -> Seen:
    """What the ledger is to say of this mail, if it is the first to say anything of this content."""
    it = mail_id(key, cursor.generation, cursor.uidvalidity or 0, mail.uid)
    joined = conversation or conversation_id(key, it)
    return Seen(mail.sha256, it, joined, cursor.generation, cursor.uidvalidity or 0, mail.uid)


def threads(resolved: Iterable[tuple[str | None, str]]) -> list[Thread]:
    """The Message-IDs of a slice with their conversations; the first stays where one comes twice."""
    found: dict[str, str] = {}
    for internet_message_id, conversation in resolved:
        if internet_message_id:
            found.setdefault(internet_message_id, conversation)
    return [Thread(mail_id_, conversation) for mail_id_, conversation in found.items()]
