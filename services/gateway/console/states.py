"""What the status line of an outbound message says: state, words, look, and what can be done. Pure.

Clock shown = interruptible, exactly: ``clock`` is ``interruptible`` of the resource and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.gateway.console.catalogue import Words
from services.gateway.console.moments import Moments

ICONS: Final = {
    "failed": "alert", "bounced": "back", "parked": "doubt", "sent": "check", "marked": "check", "partial": "alert",
    "committed": "plane", "interrupted": "hand", "cancelling": "spin",
}  # fmt: skip
LOOKS: Final = {
    "failed": "bad", "bounced": "bad", "partial": "bad", "parked": "doubt", "sent": "ok", "marked": "ok",
}  # fmt: skip
CLOCKS: Final = frozenset({"accepted", "queued", "due", "deferred"})
REFUSALS: Final = {"5.1.1": "address_unknown", "5.1.2": "domain_unknown", "5.2.2": "mailbox_full", "5.7.1": "refused"}


@dataclass(frozen=True, slots=True)
class Line:
    """The status line; ``until`` ends its countdown, None where there is no number."""

    state: str
    word: str
    detail: str
    look: str
    icon: str
    until: datetime | None = None
    window: int = 10

    @property
    def clock(self) -> bool:
        """Whether the clock shows."""
        return self.state in CLOCKS


def state_of(message: Any, now: datetime) -> str:
    """The state's code; ``message`` is a MessageResource."""
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
        return "queued" if message.undo_until is not None and message.undo_until > now else "due"
    return str(message.status)


def refused(message: Any) -> list[Any]:
    """Recipients who did not get it."""
    return [one for one in message.recipients if one.state in ("refused", "stopped")]


def line_of(message: Any, words: Words, moments: Moments, names: dict[str, str]) -> Line:
    """The line in the reader's words; ``names`` of operators and subjects."""
    state = state_of(message, moments.now)
    at = message.finished_at or message.accepted_at
    values = {"t": moments.near(at)}
    if state == "deferred":
        values["t"] = moments.near(message.next_attempt_at)
    if state == "partial":
        values |= {"a": str(len(message.recipients) - len(refused(message))), "n": str(len(message.recipients))}
    until = message.undo_until if state == "queued" else None
    if until is not None:
        values["t"] = _left(until, moments.now)
    look = "clock" if state in CLOCKS else LOOKS.get(state, "")
    return Line(
        state, words(f"st.{state}", **values), _detail(message, state, words, moments, names), look,
        "clock" if state in CLOCKS else ICONS.get(state, "dot"), until, max(1, message.undo_seconds),
    )  # fmt: skip


def _left(until: datetime, now: datetime) -> str:
    seconds = max(0, -int(-(until - now).total_seconds() // 1))
    return f"{seconds // 60}:{seconds % 60:02}"


def _detail(message: Any, state: str, words: Words, moments: Moments, names: dict[str, str]) -> str:
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
    if state == "deferred":
        return words("r.server_busy")
    return words(f"st.{state}.d")


def _reason(message: Any, recipient: Any, words: Words) -> str:
    if message.reason and message.reason not in ("refused", "other") and words.known(f"r.{message.reason}"):
        return words(f"r.{message.reason}", a=recipient.address)
    code = REFUSALS.get(recipient.enhanced or "")
    if code:
        return words(f"r.{code}", a=recipient.address)
    said = " ".join(str(part) for part in (recipient.code, recipient.enhanced, recipient.text) if part)
    return f"{recipient.address}: {words('r.other', r=said or message.reason or '')}"
