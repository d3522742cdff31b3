"""The events ingest publishes, from what it knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.blob import BlobRef
from contracts.channel_status import ChannelStatusChanged, ConnectionReason, ConnectionState, Direction
from contracts.event import AnyEvent, Event, event
from contracts.inbound import (
    Auto,
    AutoReplyReceived,
    BouncedRecipient,
    BounceReceived,
    InboundAddress,
    InboundAttachment,
    MailboxReset,
    MessageQuarantined,
    MessageReceived,
    Place,
    ThreadedBy,
)
from services.ingest.domain.account import INBOX, Account
from services.ingest.domain.bodies import Bodies, Kept
from services.ingest.domain.cursor import Cursor
from services.ingest.domain.ledger import Seen
from services.ingest.domain.parsed import Address, Parsed
from services.ingest.domain.slices import Mail
from services.ingest.domain.status import ImapStatus

SOURCE: Final = "ingest"
MOST_ADDRESSES: Final = 500
MOST_IDS: Final = 100
"""An event stays under its limit (900 KiB) whatever a stranger wrote; what is cut is named in ``truncated``."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A mail that was read, and everything decided about it. ``bounced``: the message of ours a report is about."""

    mail: Mail
    parsed: Parsed
    conversation_id: str
    threaded_by: str
    own: bool = False
    loop: bool = False
    bounced: str | None = None


def speak_mail(
    account: Account, it: Resolved, as_: Seen, raw: BlobRef, bodies: Bodies, now: datetime, *, new_participant: bool
) -> AnyEvent:
    """The event of a mail that was read, under the identity ``as_``."""
    fields = _fields(account, it, as_, raw, bodies, now) | {"new_participant": new_participant}
    if it.loop:
        return event(account.tenant, MessageReceived(**fields), at=now, source=SOURCE)
    if it.parsed.auto == "bounce":
        return event(account.tenant, BounceReceived(**fields, **_bounce(it)), at=now, source=SOURCE)
    kind = AutoReplyReceived if it.parsed.auto == "auto-reply" else MessageReceived
    return event(account.tenant, kind(**fields), at=now, source=SOURCE)


def speak_quarantined(
    account: Account, mail: Mail, as_: Seen, reason: str, raw: BlobRef | None, now: datetime
) -> Event[MessageQuarantined]:
    """The event of a mail that could not be read, or not be had."""
    data = MessageQuarantined(
        message_id=as_.message_id, channel_id=account.channel_id, place=_place(as_), reason=reason, size=mail.size,
        sha256=mail.sha256 if raw is not None else None, raw=raw, received_at=mail.internaldate or now,
    )  # fmt: skip
    return event(account.tenant, data, at=now, source=SOURCE)


def speak_reset(account: Account, before: Cursor, matched: int, now: datetime) -> Event[MailboxReset]:
    """The event of a renumbering that was gone through; ``matched`` of the last slice come to those counted before."""
    over = before.renumbered
    if over is None or before.uidvalidity is None:
        raise ValueError("no renumbering to speak of")
    data = MailboxReset(
        channel_id=account.channel_id, mailbox=INBOX, old_uidvalidity=over.uidvalidity,
        new_uidvalidity=before.uidvalidity, matched=over.matched + matched, reset_at=now,
    )  # fmt: skip
    return event(account.tenant, data, at=now, source=SOURCE)


def speak_status(status: ImapStatus, now: datetime) -> AnyEvent:
    """The status as the published contract has it."""
    data = ChannelStatusChanged(
        version=status.version, channel_id=status.channel_id, direction=Direction.IMAP,
        state=ConnectionState(status.state), reason=ConnectionReason(status.reason), since=status.since,
        next_retry_at=status.next_retry_at,
    )  # fmt: skip
    return event(status.tenant, data, at=now, source=SOURCE)


def _fields(
    account: Account, it: Resolved, as_: Seen, raw: BlobRef, bodies: Bodies, now: datetime
) -> dict[str, Any]:  # fmt: skip
    mail, parsed = it.mail, it.parsed
    cut = {*parsed.truncated, *bodies.cut}
    if max(len(parsed.to), len(parsed.cc), len(parsed.reply_to)) > MOST_ADDRESSES:
        cut.add("addresses")
    if max(len(parsed.references), len(parsed.in_reply_to)) > MOST_IDS:
        cut.add("references")
    return {
        "message_id": as_.message_id, "conversation_id": as_.conversation_id, "channel_id": account.channel_id,
        "place": _place(as_), "sha256": mail.sha256, "size": mail.size, "raw": raw,
        "received_at": mail.internaldate or now, "internet_message_id": parsed.internet_message_id,
        "in_reply_to": parsed.in_reply_to[:MOST_IDS], "references": parsed.references[-MOST_IDS:],
        "date": parsed.date, "sender": _address(parsed.sender) if parsed.sender else None,
        "reply_to": _addresses(parsed.reply_to), "to": _addresses(parsed.to), "cc": _addresses(parsed.cc),
        "subject": parsed.subject, **_texts(bodies), "new_part": bodies.new_part, "remote_images": parsed.remote_images,
        "attachments": _attachments(bodies), "auto": Auto.LOOP if it.loop else Auto(parsed.auto),
        "threaded_by": ThreadedBy(it.threaded_by),
        "replaced_chars": parsed.replaced_chars, "truncated": tuple(sorted(cut)),
    }  # fmt: skip


def ref(kept: Kept) -> BlobRef:
    """Where a kept part is."""
    return BlobRef(blob_id=kept.blob_id, sha256=kept.sha256, size=kept.size, media_type=kept.media_type)


def _texts(bodies: Bodies) -> dict[str, Any]:
    text, html = bodies.text, bodies.html
    return {
        "text": text if isinstance(text, str) else None, "text_ref": ref(text) if isinstance(text, Kept) else None,
        "html": html if isinstance(html, str) else None, "html_ref": ref(html) if isinstance(html, Kept) else None,
    }  # fmt: skip


def _attachments(bodies: Bodies) -> tuple[InboundAttachment, ...]:
    return tuple(
        InboundAttachment(blob=ref(kept), file_name=it.file_name, content_id=it.content_id, inline=it.inline)
        for it, kept in bodies.attachments
    )


def _bounce(it: Resolved) -> dict[str, Any]:
    report = it.parsed.bounce
    if report is None:
        return {}
    recipients = tuple(
        BouncedRecipient(address=each.address, action=each.action, status=each.status, diagnostic=each.diagnostic)
        for each in report.recipients[:MOST_ADDRESSES]
    )
    return {
        "bounced_message_id": it.bounced, "bounced_internet_message_id": report.internet_message_id,
        "recipients": recipients,
    }  # fmt: skip


def _place(seen: Seen) -> Place:
    return Place(mailbox=INBOX, uidvalidity=seen.uidvalidity, uid=seen.uid)


def _address(address: Address) -> InboundAddress:
    return InboundAddress(address=address.address, name=address.name)


def _addresses(found: tuple[Address, ...]) -> tuple[InboundAddress, ...]:
    return tuple(map(_address, found[:MOST_ADDRESSES]))
