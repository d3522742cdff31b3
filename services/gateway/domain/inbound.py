"""The mail that arrived, as people see it, and what it does to its conversation. Pure.

What arrives live stands where it arrived; what was imported, or waited for a mailbox to come back, stands at the time
its server received it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts import addresses, limits
from services.gateway.domain.bounce import Returned
from services.gateway.domain.conversation import Conversation, Direction, Last, preview_of
from services.gateway.domain.message import Person, Stored

LIVE: Final = timedelta(minutes=5)
"""IMAP tells seconds only (RFC 9051 INTERNALDATE): within this the time of the event is the better order."""
SUBJECT_OCTETS: Final = limits.SUBJECT_OCTETS - len("Re: ")
ID_LENGTH: Final = 250
_MESSAGE_ID: Final = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]+>")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Kind(StrEnum):
    """What arrived: written by a person (as far as can be told), by an absence note, or a delivery report."""

    RECEIVED = "received"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is no body; ``content_id`` where the HTML shows it."""

    blob: Stored
    file_name: str
    content_id: str | None = None
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """``at`` orders it among the conversation's messages; ``returned``: whom a delivery report speaks of."""

    tenant: str
    message_id: str
    conversation_id: str
    channel_id: str
    kind: Kind
    at: datetime
    received_at: datetime
    raw: Stored
    sender: Person | None = None
    reply_to: tuple[Person, ...] = ()
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    text_ref: Stored | None = None
    html_ref: Stored | None = None
    new_part: str | None = None
    attachments: tuple[Attachment, ...] = ()
    auto: str = "none"
    new_participant: bool = False
    internet_message_id: str | None = None
    references: tuple[str, ...] = ()
    date: datetime | None = None
    remote_images: int = 0
    replaced_chars: int = 0
    truncated: tuple[str, ...] = ()
    bounced_message_id: str | None = None
    returned: tuple[Returned, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A mail that could not be read; ``raw`` where its bytes could be fetched, ``size`` in octets."""

    tenant: str
    message_id: str
    channel_id: str
    reason: str
    size: int
    received_at: datetime
    raw: Stored | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Joining:
    """What a mail adds to its conversation; ``thread_id`` None where nothing should answer to it.

    ``returned_id``: our message that it says somebody did not get.
    """

    last: Last
    subject: str | None
    thread_id: str | None
    wants_reading: bool
    sender: Person | None
    returned_id: str | None = None


def arrived_at(received_at: datetime, told_at: datetime) -> datetime:
    """Where a mail stands in its conversation; a server's clock may be ahead of ours."""
    return received_at if told_at - received_at > LIVE else told_at


def joining_of(mail: Inbound) -> Joining:
    """What this mail does to its conversation. An absence note wants no reading; a report is never answered."""
    preview = preview_of(mail.new_part or mail.text or "")
    last = Last(mail.message_id, Direction.IN, str(mail.kind), mail.at, preview)
    answerable = mail.kind is not Kind.BOUNCE and mail.auto != "loop"
    thread_id = _well_formed(mail.internet_message_id) if answerable else None
    failed = any(one.action == "failed" for one in mail.returned)
    return Joining(
        last, subject_of(mail.subject), thread_id, mail.kind is not Kind.AUTO_REPLY, mail.sender,
        mail.bounced_message_id if failed else None,
    )  # fmt: skip


def opened_by(mail: Inbound) -> Conversation:
    """The conversation that a mail from someone new opens, answered where the mail wants its answer."""
    people = _writable(mail.reply_to) or _writable((mail.sender,) if mail.sender else ())
    before = tuple(filter(None, map(_well_formed, mail.references)))[1 - limits.REFERENCES :]
    return Conversation(
        mail.tenant, mail.conversation_id, mail.channel_id, people, subject_of(mail.subject), mail.at, None, mail.at,
        before if mail.kind is not Kind.BOUNCE else (),
    )  # fmt: skip


def is_stranger(mail: Inbound, conversation: Conversation) -> bool:
    """Whether somebody wrote who does not take part; who is answered elsewhere (Reply-To) takes part there."""
    taking_part = {person.address.lower() for person in conversation.participants}
    return mail.new_participant and taking_part.isdisjoint(one.address.lower() for one in mail.reply_to)


def subject_of(text: str) -> str | None:
    """A stranger's subject as it may stand in a header of ours with ``Re:`` before it; None where there is none."""
    clean = _CONTROL.sub(" ", text).strip()
    return clean.encode("utf-8", "ignore")[:SUBJECT_OCTETS].decode("utf-8", "ignore").strip() or None


def _writable(people: tuple[Person, ...]) -> tuple[Person, ...]:
    """Those we can write to, each once; a stranger's mail may name what is no address."""
    found: dict[str, Person] = {}
    for person in people:
        address = addresses.parse(person.address.strip())
        if isinstance(address, str):
            name = _CONTROL.sub(" ", person.name).strip()[: limits.NAME_LENGTH]
            found.setdefault(address.lower(), Person(address, name))
    return tuple(found.values())[: limits.RECIPIENTS]


def _well_formed(mail_id: str | None) -> str | None:
    """A Message-ID that can be repeated in a header as it is."""
    return mail_id if mail_id and len(mail_id) <= ID_LENGTH and _MESSAGE_ID.fullmatch(mail_id) else None
