"""What the status line of an outbound message says: state, words, look, and what can be done. Pure.

Clock shown = interruptible, exactly: ``clock`` is ``interruptible`` of the resource and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.gateway.console.age import age_of
from services.gateway.console.catalogue import Words
from services.gateway.console.moments import Moments

ICONS: Final = {
    "failed": "alert", "bounced": "back", "parked": "doubt", "sent": "check", "marked": "check", "partial": "alert",
    "committed": "plane", "interrupted": "hand", "cancelling": "spin",
}  # fmt: skip
LOOKS: Final = {
    "failed": "bad", "bounced": "bad", "partial": "bad", "parked": "doubt", "sent": "ok", "marked": "ok",
}  # fmt: skip
CLOCKS: Final = frozenset({"accepted", "queued", "due", "paused", "deferred"})
PAUSING: Final = frozenset({"auth_failed", "unreachable", "throttled", "disabled"})
"""States of a channel's SMTP in which nothing goes out."""
REFUSALS: Final = {
    "5.1.1": "address_unknown", "5.1.10": "address_unknown", "5.1.2": "domain_unknown", "5.4.4": "domain_unknown",
    "5.2.2": "mailbox_full", "5.2.3": "too_large", "5.3.4": "too_large", "5.7.1": "refused",
}  # fmt: skip
"""Enhanced status codes of servers' refusals (RFC 3463) that have a sentence of their own."""


@dataclass(frozen=True, slots=True)
class Line:
    """The status line; ``until`` ends its countdown, None where there is no number; ``after``: what is said then.

    ``age`` rises with everything that happens to the message: a page never goes back to an earlier line.
    """

    state: str
    word: str
    detail: str
    look: str
    icon: str
    until: datetime | None = None
    window: int = 10
    after: tuple[str, str] | None = None
    age: int = 0

    @property
    def clock(self) -> bool:
        """Whether the clock shows."""
        return self.state in CLOCKS


def state_of(message: Any, now: datetime, smtp: Any = None) -> str:
    """The state's code; ``message`` is a MessageResource, ``smtp`` the condition of its channel where that is known."""
    if message.status == "sent" and message.resolution is None and not message.parked and refused(message):
        return "partial"
    if message.resolution is not None and message.resolution.kind == "marked_sent":
        return "marked"
    if message.parked:
        return "parked"
    if any(cancel.outcome is None for cancel in message.cancels) and message.status == "committed":
        return "cancelling"
    if message.status == "queued":
        if message.next_attempt_at is not None and (message.attempt or 0) > 0:
            return "deferred"
        if message.undo_until is not None and message.undo_until > now:
            return "queued"
        return "paused" if pauses(smtp) else "due"
    return str(message.status)


def pauses(smtp: Any) -> bool:
    """Whether the channel sends nothing at the moment."""
    return smtp is not None and smtp.state in PAUSING


def refused(message: Any) -> list[Any]:
    """Recipients who did not get it."""
    return [one for one in message.recipients if one.state in ("refused", "stopped")]


def line_of(message: Any, words: Words, moments: Moments, names: dict[str, str], smtp: Any = None) -> Line:
    """The line in the reader's words; ``names`` of operators and subjects, ``smtp`` the channel's condition."""
    state = state_of(message, moments.now, smtp)
    at = message.finished_at or message.accepted_at
    values = {"t": moments.near(at)}
    if state == "deferred":
        values["t"] = moments.near(message.next_attempt_at)
    if state == "partial":
        values |= {"a": str(len(message.recipients) - len(refused(message))), "n": str(len(message.recipients))}
    until = message.undo_until if state == "queued" else None
    if until is not None:
        values["t"] = _left(until, moments.now)
    paused = _pause(smtp, words, moments) if pauses(smtp) else ""
    return Line(
        state, words(f"st.{state}", **values), _detail(message, state, words, moments, names, paused), look_of(state),
        icon_of(state) or "dot", until, max(1, message.undo_seconds), (words("st.paused"), paused) if paused else None,
        age_of(message),
    )  # fmt: skip


def _pause(smtp: Any, words: Words, moments: Moments) -> str:
    """Why the channel sends nothing, and when it is tried again."""
    why = words.one_of("c", smtp.state)
    said = words("r.channel_paused", r=why[0].lower() + why[1:])
    return f"{said} {words('st.paused.next', t=moments.near(smtp.next_retry_at))}" if smtp.next_retry_at else said


def look_of(state: str) -> str:
    """The family of colours."""
    return "clock" if state in CLOCKS else LOOKS.get(state, "")


def icon_of(state: str) -> str:
    """The drawing, "" where there is none."""
    return "clock" if state in CLOCKS else ICONS.get(state, "")


def state_of_last(last: Any, now: datetime) -> str:
    """The state of the message that a line of a list is about; "" where its beginning says more."""
    if last is not None and last.kind == "bounce":
        return "bounced"
    if last is None or last.status is None or last.resolved == "marked_sent":
        return ""
    if last.parked or last.returned:
        return "parked" if last.parked else "bounced"
    if last.status == "sent":
        return "partial" if last.missed else ""
    if last.status != "queued":
        return str(last.status)
    if last.next_attempt_at is not None:
        return "deferred"
    return "queued" if last.undo_until is not None and last.undo_until > now else "due"


def word_of_last(last: Any, state: str, words: Words, moments: Moments) -> str:
    """The same in the reader's words, else how it begins."""
    match state:
        case "":
            return str(last.preview)
        case "queued":
            return words("st.queued", t=_left(last.undo_until, moments.now))
        case "deferred":
            return words("st.deferred", t=moments.near(last.next_attempt_at))
        case "partial":
            return words("st.partial", a=last.addressed - last.missed, n=last.addressed)
    return words(f"st.{state}") if words.known(f"st.{state}") else words("st.other")


def _left(until: datetime, now: datetime) -> str:
    seconds = max(0, -int(-(until - now).total_seconds() // 1))
    return f"{seconds // 60}:{seconds % 60:02}"


def _detail(message: Any, state: str, words: Words, moments: Moments, names: dict[str, str], paused: str) -> str:
    at = moments.near(message.finished_at or message.accepted_at)
    if state == "sent":
        return words("st.sent_copy.d" if message.reason == "sent_copy" else "st.sent.d", t=at)
    if state == "marked":
        by = message.resolution
        return words("st.marked.d", who=names.get(by.by, by.by), t=moments.near(by.at))
    if state == "interrupted":
        who = ", ".join(dict.fromkeys(names.get(one, one) for one in message.interrupted_by)) or "?"
        return words("st.interrupted.d", who=who, t=at)
    if state in ("failed", "partial"):
        return " ".join(dict.fromkeys(_reason(message, one, words) for one in refused(message))) or words.one_of(
            "r", message.reason
        )
    if paused and state in ("paused", "deferred"):
        return paused
    if state == "deferred":
        return words(f"r.{_waits_for(message)}")
    return words(f"st.{state}.d")


def _waits_for(message: Any) -> str:
    """Why the last attempt did not succeed."""
    told = [one for one in message.recipients if one.state == "open"] or message.recipients
    if any("greylist" in (one.text or "").lower() for one in told):
        return "greylisted"
    return "server_busy" if any(one.code for one in told) else "connection_lost"


def _reason(message: Any, recipient: Any, words: Words) -> str:
    if message.reason and message.reason not in ("refused", "other") and words.known(f"r.{message.reason}"):
        return words(f"r.{message.reason}", a=recipient.address)
    code = REFUSALS.get(recipient.enhanced or "")
    if code:
        return words(f"r.{code}", a=recipient.address)
    said = " ".join(str(part) for part in (recipient.code, recipient.enhanced, recipient.text) if part)
    return f"{recipient.address}: {words('r.other', r=said or message.reason or '')}"
