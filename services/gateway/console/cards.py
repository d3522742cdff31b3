"""Messages and conversations as the templates show them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.gateway.console import frames
from services.gateway.console.catalogue import Words
from services.gateway.console.moments import Moments
from services.gateway.console.states import Line, icon_of, line_of, look_of, state_of_last, word_of_last


@dataclass(frozen=True, slots=True)
class Card:
    """One message; ``line`` only on outbound ones, ``subject`` only where it differs from the one before.

    ``part`` is shown at once, ``rest`` folded away; ``framed`` mail is shown in a frame of its own, and where it is
    ``whole`` the folded rest is, too. ``files`` are the attachments that no frame shows at once.
    """

    message: Any
    outbound: bool
    who: str
    to: str
    at: datetime
    day: str
    subject: str
    part: str
    rest: str
    framed: bool
    line: Line | None
    whole: bool = False
    files: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of a list; ``until`` ends the countdown of the message it is about, ``by`` wrote that."""

    conversation: Any
    who: str
    subject: str
    at: datetime
    unread: bool
    icon: str
    look: str
    said: str
    by: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Aside:
    """A mail that could not be read; it belongs to a channel and to no conversation."""

    mail: Any
    channel: str
    size: str


def cards_of(
    messages: Sequence[Any], words: Words, moments: Moments, names: dict[str, str], smtp: Any = None
) -> list[Card]:
    """The oldest first; ``messages`` come newest first, ``smtp`` is their channel's condition."""
    found: list[Card] = []
    subject = day = ""
    for one in reversed(messages):
        ours = one.direction == "out"
        card = _outbound(one, words, moments, names, smtp) if ours else _inbound(one, words, moments)
        shown, on = _differs(subject, one.subject), card.day if card.day != day else ""
        found.append(_with(card, subject=one.subject if shown else "", day=on))
        subject, day = one.subject or subject, card.day
    return found


def _with(card: Card, **changes: Any) -> Card:
    return Card(**{name: changes.get(name, getattr(card, name)) for name in Card.__slots__})


def _differs(before: str, now: str) -> bool:
    return _bare(before) != _bare(now)


def _bare(subject: str) -> str:
    while subject[:3].lower() in ("re:", "fw:") or subject[:4].lower() in ("res:", "enc:", "fwd:"):
        subject = subject.partition(":")[2].strip()
    return subject.strip()


def people(found: Sequence[Any]) -> str:
    """Names, or addresses of those without one."""
    return ", ".join(one.name or one.address for one in found)


def _outbound(message: Any, words: Words, moments: Moments, names: dict[str, str], smtp: Any) -> Card:
    who = names.get(message.operator_id or "") or names.get(message.requested_by) or message.requested_by
    return Card(
        message, True, who, people(message.to), message.accepted_at, moments.day(message.accepted_at), "",
        (message.text or "").strip(), "", not message.text and bool(message.html),
        line_of(message, words, moments, names, smtp),
    )  # fmt: skip


def _inbound(message: Any, words: Words, moments: Moments) -> Card:
    sender = message.sender
    who = (sender.name or sender.address) if sender else words("in.nobody")
    text, part = (message.text or "").strip(), (message.new_part or "").strip()
    quoted, whole = bool(part) and part != text, bool(message.html) or message.body_stored
    framed = whole and not quoted
    return Card(
        message, False, who, people(message.to), message.at, moments.day(message.at), "", part or text,
        text[len(part) :].strip() if quoted and text.startswith(part) else text if quoted else "", framed, None, whole,
        tuple(one for one in message.attachments if not (framed and frames.shown(one))),
    )  # fmt: skip


def row_of(conversation: Any, words: Words, moments: Moments, names: dict[str, str]) -> Row:
    """A line of the list: unread in bold, then how far the last message got, or how it begins."""
    last, who = conversation.last, conversation.participants
    named = (who[0].name or who[0].address) if who else words("in.nobody")
    state = state_of_last(last, moments.now)
    said = word_of_last(last, state, words, moments) if last else words("e.new")
    by = names.get(last.operator_id or "") or names.get(last.requested_by or "", "") if last else ""
    return Row(
        conversation, words("list.more", who=named, n=len(who) - 1) if len(who) > 1 else named,
        conversation.subject or words("list.nosubject"), last.at if last else conversation.last_at,
        bool(conversation.unread), icon_of(state), look_of(state), said, by,
        last.undo_until if state == "queued" else None,
    )  # fmt: skip


def size(octets: int, words: Words) -> str:
    """``412 KB``, ``1,8 MB``."""
    if octets < 1_024:
        return f"{octets} B"
    if octets < 1_048_576:
        return f"{octets / 1_024:.0f} KB"
    return f"{octets / 1_048_576:.1f} MB".replace(".", words("decimal"))


def named(operators: Sequence[Any]) -> dict[str, str]:
    """Names by operator id."""
    return {one.operator_id: one.name for one in operators}
